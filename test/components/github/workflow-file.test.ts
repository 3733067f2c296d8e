import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ACTIONS } from "../../../components/github/model/actions.ts";
import { renderWorkflow, workflowProblems } from "../../../components/github/model/render.ts";
import { expression, script, type Workflow, workflow } from "../../../components/github/model/workflow.ts";
import { WorkflowFile } from "../../../components/github/workflow-file.ts";
import { only, recorded } from "../recording.ts";

const job = {
  name: "Test",
  "runs-on": "ubuntu-24.04",
  permissions: { contents: "read" },
  "timeout-minutes": 5,
  steps: [
    { name: "Checkout", uses: ACTIONS.checkout, with: { "persist-credentials": false } },
    {
      name: "Test",
      run: script("npm ci", 'npm test -- "$NAME"'),
      env: { NAME: expression("github.ref_name") },
    },
  ],
} as const satisfies Workflow["jobs"][string];

const definition = workflow({
  name: "test",
  on: { push: { branches: ["main"] }, schedule: [{ cron: "17 3 * * *" }] },
  jobs: { test: job, after: { ...job, needs: ["test"] } },
});

describe("a rendered workflow", () => {
  const text = renderWorkflow(definition, "Remark");

  it("reads as people write one", () => {
    expect(text).toMatch(/^# Remark\n\nname: test\non:\n {2}push:\n/);
    expect(text).toContain(`uses: actions/checkout@${ACTIONS.checkout.commit} # ${ACTIONS.checkout.tag}\n`);
    expect(text).toContain('run: |\n          npm ci\n          npm test -- "$NAME"\n');
    expect(text).not.toMatch(/[&*]a\d/);
  });

  it("gives its token nothing that no job asks for", () => {
    const { permissions, jobs } = parse(text);
    expect(permissions).toEqual({});
    expect(jobs.test.permissions).toEqual({ contents: "read" });
    expect(jobs.after.needs).toEqual(["test"]);
  });
});

describe("WorkflowFile", () => {
  it("registers the rendered file", async () => {
    const recording = await recorded(
      () => new WorkflowFile("ci", { repository: "lab", workflow: definition, branch: "main" }),
    );
    expect(only(recording, "github:index/repositoryFile:RepositoryFile").inputs).toEqual({
      repository: "lab",
      branch: "main",
      file: ".github/workflows/test.yml",
      content: renderWorkflow(definition, "Kept by Kiln: a change made here is undone."),
      commitMessage: "Workflow test",
      overwriteOnCreate: true,
    });
  });

  it("refuses what GitHub, or a reviewer, would", async () => {
    // As someone may have written it who got round the types.
    const wrong: Workflow = {
      name: "test",
      on: {},
      jobs: {
        a: { ...job, needs: ["b"] },
        b: { ...job, needs: ["a", "gone"] },
        "1": {
          ...job,
          steps: [
            { name: "use", uses: { action: "o/a", commit: "v1", tag: "v1" } },
            { name: "run", run: `echo ${expression("github.actor")}` as never },
          ],
        },
      },
    };
    expect(
      workflowProblems(wrong)
        .map(({ field, message }) => `${field} ${message}`)
        .sort(),
    ).toEqual([
      "jobs.1 is no name of a job: letters, digits, - and _",
      "jobs.1.steps[0].uses o/a is not pinned by a whole commit",
      "jobs.1.steps[1].run holds an expression; pass it by env",
      "jobs.a.needs come back to itself",
      "jobs.b.needs come back to itself",
      "jobs.b.needs names gone, which is no job",
      "on is empty, so that nothing would ever start it",
    ]);
    const recording = await recorded(() =>
      expect(() => new WorkflowFile("x", { repository: "lab", workflow: wrong, fileName: "../x" })).toThrow(
        /fileName .*; workflow\.on/,
      ),
    );
    expect(recording.resources).toEqual([]);
  });

  it("sees an expression in a script that the types could not", () => {
    const line: string = `echo ${expression("github.actor")}`;
    expect(() => script(line as never)).toThrow(/pass it by env/);
  });
});
