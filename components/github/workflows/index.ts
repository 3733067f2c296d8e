/** The workflows that a repository with Kiln in it has. Each is a file of its name in `.github/workflows`. */
import { renderWorkflow, WORKFLOW_FOLDER } from "../model/render.ts";
import type { Workflow } from "../model/workflow.ts";
import { foundryOnDemand } from "./foundry-on-demand.ts";
import { preview } from "./preview.ts";
import { reap } from "./reap.ts";
import { secretScan } from "./secret-scan.ts";

export const WORKFLOWS: readonly Workflow[] = [foundryOnDemand, preview, reap, secretScan];

/** The first line of each of them: what carries it and is none of them is left over. */
export const REMARK =
  "Rendered from components/github/workflows by `kiln github workflows --write`; change it there.";

/** The workflows as files: their text by path, relative to the repository. Pure. */
export function workflowFiles(): ReadonlyMap<string, string> {
  return new Map(
    WORKFLOWS.map((each) => [`${WORKFLOW_FOLDER}/${each.name}.yml`, renderWorkflow(each, REMARK)]),
  );
}
