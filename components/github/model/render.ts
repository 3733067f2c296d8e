import { Document, Scalar } from "yaml";
import type { FieldProblem } from "../../shared/validation.ts";
import type { Grant, Job, Step, Workflow } from "./workflow.ts";

/** GitHub reads workflows from this folder only. */
export const WORKFLOW_FOLDER = ".github/workflows";

/**
 * A workflow as the file that GitHub reads. Pure: the same definition gives the same bytes.
 * @param remark a line of comment at the head
 */
export function renderWorkflow(definition: Workflow, remark: string): string {
  const { jobs, on, ...head } = definition;
  const document = new Document(
    {
      name: head.name,
      ...(head["run-name"] === undefined ? {} : { "run-name": head["run-name"] }),
      on,
      // What no job asks for, no job gets.
      permissions: {},
      ...(head.concurrency === undefined ? {} : { concurrency: head.concurrency }),
      defaults: { run: { shell: "bash" } },
      ...(head.env === undefined ? {} : { env: head.env }),
      jobs: Object.fromEntries(Object.entries(jobs).map(([id, job]) => [id, plainJob(job)])),
    },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = ` ${remark}`;
  return document.toString({ lineWidth: 0 });
}

function plainJob({ permissions, steps, ...job }: Job): object {
  const { needs, "runs-on": runsOn, name, ...rest } = job;
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    "runs-on": runsOn,
    permissions: Object.fromEntries(Object.entries(permissions).map(plainGrant)),
    ...rest,
    steps: steps.map(plainStep),
  };
}

function plainGrant([scope, grant]: [string, string | Grant<"read" | "write">]): [string, unknown] {
  return [scope, typeof grant === "string" ? grant : remarked(grant.level, grant.why)];
}

function plainStep({ uses, with: inputs, run, ...step }: Step): object {
  return {
    ...step,
    ...(uses === undefined ? {} : { uses: remarked(`${uses.action}@${uses.commit}`, uses.tag) }),
    ...(inputs === undefined ? {} : { with: inputs }),
    ...(run === undefined ? {} : { run: run.includes("\n") ? `${run}\n` : run }),
  };
}

function remarked(value: string, remark: string): Scalar<string> {
  return Object.assign(new Scalar(value), { comment: ` ${remark}` });
}

/** Everything that is wrong with a workflow and that its types cannot see. Pure. */
export function workflowProblems(definition: Workflow): FieldProblem[] {
  const { jobs, on } = definition;
  const problems: FieldProblem[] = [];
  const say = (field: string, message: string) => problems.push({ field, message });
  if (Object.keys(on).length === 0) say("on", "is empty, so that nothing would ever start it");
  if (Object.keys(jobs).length === 0) say("jobs", "are none");
  for (const [id, job] of Object.entries(jobs)) {
    const at = `jobs.${id}`;
    if (!/^[A-Za-z_][\w-]*$/.test(id)) say(at, "is no name of a job: letters, digits, - and _");
    for (const need of job.needs ?? [])
      if (!(need in jobs)) say(`${at}.needs`, `names ${need}, which is no job`);
    if (isCyclic(id, jobs)) say(`${at}.needs`, "come back to itself");
    job.steps.forEach(({ uses, run }, index) => {
      if (uses !== undefined && !/^[0-9a-f]{40}$/.test(uses.commit))
        say(`${at}.steps[${index}].uses`, `${uses.action} is not pinned by a whole commit`);
      if (run?.includes("${{")) say(`${at}.steps[${index}].run`, "holds an expression; pass it by env");
    });
  }
  return problems;
}

function isCyclic(id: string, jobs: Workflow["jobs"]): boolean {
  const seen = new Set<string>();
  const open = [...(jobs[id]?.needs ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(jobs[next]?.needs ?? []));
  }
  return false;
}
