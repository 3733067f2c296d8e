import { describe, expect, it } from "vitest";
import { parseRepository } from "../../../components/github/model/names.ts";
import {
  GithubRepository,
  type GithubRepositoryArgs,
  githubRepositoryProblems,
} from "../../../components/github/repository.ts";
import { only, recorded } from "../recording.ts";
import { starts } from "./illegal.ts";

const type = "github:index/repository:Repository";
const args: GithubRepositoryArgs = { repositoryName: "lab", description: "A lab", topics: ["mlops"] };

const inputsOf = async (given: GithubRepositoryArgs) =>
  only(await recorded(() => new GithubRepository("lab", given)), type);

describe("GithubRepository", () => {
  it("is private, watched and tidy by itself", async () => {
    const repository = await inputsOf(args);
    expect(repository.inputs).toMatchObject({
      name: "lab",
      visibility: "private",
      topics: ["mlops"],
      autoInit: true,
      archiveOnDestroy: true,
      vulnerabilityAlerts: true,
      deleteBranchOnMerge: true,
      allowMergeCommit: false,
      hasWiki: false,
    });
    expect(repository.inputs).not.toHaveProperty("securityAndAnalysis");
    expect(repository.ignoreChanges).toEqual(["autoInit", "template"]);
  });

  it("scans for secrets where everyone can read", async () => {
    const { inputs } = await inputsOf({ ...args, visibility: "public" });
    expect(inputs.securityAndAnalysis).toEqual({
      secretScanning: { status: "enabled" },
      secretScanningPushProtection: { status: "enabled" },
    });
  });

  it("begins empty or as a copy where that is asked for", async () => {
    expect((await inputsOf({ ...args, start: "empty" })).inputs).toMatchObject({ autoInit: false });
    const copy = await inputsOf({ ...args, start: "template", template: { owner: "o", name: "t" } });
    expect(copy.inputs).toMatchObject({ template: { owner: "o", repository: "t" } });
    expect(copy.inputs).not.toHaveProperty("autoInit");
  });

  it("lets a caller adjust habits and not the security", async () => {
    const { inputs } = await inputsOf({
      ...args,
      transform: {
        repository: (defaults) => ({
          ...defaults,
          hasWiki: true,
          vulnerabilityAlerts: false,
          visibility: "public",
        }),
      },
    });
    expect(inputs).toMatchObject({ hasWiki: true, vulnerabilityAlerts: true, visibility: "private" });
  });

  it("names every wrong field", () => {
    const wrong = { repositoryName: "a/b", description: "x".repeat(351), topics: ["Ärger", "fine"] };
    expect(githubRepositoryProblems(wrong).map((problem) => problem.field)).toEqual([
      "repositoryName",
      "description",
      "topics",
    ]);
    const [copy, ofWhat, emptyCopy] = starts;
    expect([copy, ofWhat, emptyCopy].map((each) => each && githubRepositoryProblems(each).length)).toEqual([
      0, 1, 1,
    ]);
  });
});

it("reads a repository's name as people write it", () => {
  expect(parseRepository("o/r.x")).toEqual({ owner: "o", name: "r.x" });
  for (const wrong of ["", "o", "o/", "/r", "o/r/x", "-o/r", "o/..", "o/r.git", `${"o".repeat(40)}/r`])
    expect(parseRepository(wrong), wrong).toBeUndefined();
});
