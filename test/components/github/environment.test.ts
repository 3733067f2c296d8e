import { describe, expect, it } from "vitest";
import {
  environmentArgs,
  GithubEnvironment,
  type GithubEnvironmentArgs,
  githubEnvironmentProblems,
} from "../../../components/github/environment.ts";
import { protectionProblems, protectionSettings } from "../../../components/github/model/protection.ts";
import { only, recorded } from "../recording.ts";
import { illegal, legal } from "./illegal.ts";

const args: GithubEnvironmentArgs = {
  repository: "kiln",
  environmentName: "prod",
  protection: {
    gate: "review",
    reviewers: [{ user: 11 }, { team: 22 }],
    from: "matching",
    branches: ["main"],
    tags: ["v*"],
  },
  variables: { AZURE_CLIENT_ID: "client", AZURE_TENANT_ID: "tenant" },
};

describe("GithubEnvironment", () => {
  it("registers the environment, its patterns, and its variables after them", async () => {
    const recording = await recorded(() => new GithubEnvironment("prod", args));
    expect(only(recording, "kiln:github:Environment").name).toBe("prod");
    expect(only(recording, "github:index/repositoryEnvironment:RepositoryEnvironment").inputs).toEqual({
      repository: "kiln",
      environment: "prod",
      canAdminsBypass: false,
      preventSelfReview: true,
      waitTimer: 0,
      reviewers: [{ users: [11], teams: [22] }],
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
    const policies = recording.resources.filter((each) => /DeploymentPolicy$/.test(each.type));
    expect(policies.map(({ name, inputs }) => ({ name, inputs }))).toEqual([
      {
        name: "prod-branch-main",
        inputs: { repository: "kiln", environment: "prod", branchPattern: "main" },
      },
      { name: "prod-tag-v*", inputs: { repository: "kiln", environment: "prod", tagPattern: "v*" } },
    ]);
    const variable = only(
      recording,
      "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable",
      "prod-azure-client-id",
    );
    expect(variable.inputs).toEqual({
      repository: "kiln",
      environment: "prod",
      variableName: "AZURE_CLIENT_ID",
      value: "client",
    });
    expect(variable.dependsOn.filter((urn) => /DeploymentPolicy/.test(urn))).toHaveLength(2);
    expect(recording.resources).toHaveLength(6);
  });

  it("leaves reviewers and branches out where there are none", () => {
    const open = environmentArgs({ ...args, protection: { gate: "open", from: "anywhere" } });
    expect(open).not.toHaveProperty("reviewers");
    expect(open).not.toHaveProperty("deploymentBranchPolicy");
    expect(open).toMatchObject({ preventSelfReview: false, canAdminsBypass: false });
    const branches = environmentArgs({
      ...args,
      protection: { gate: "wait", waitMinutes: 30, from: "protected-branches", adminsBypass: true },
    });
    expect(branches).toMatchObject({
      waitTimer: 30,
      canAdminsBypass: true,
      deploymentBranchPolicy: { protectedBranches: true, customBranchPolicies: false },
    });
  });

  it("refuses a wrong environment before anything is registered", async () => {
    const wrong = {
      ...args,
      environmentName: "prod:1",
      protection: { gate: "wait", waitMinutes: 43_201, from: "anywhere" } as const,
      variables: { "azure-client": "x", GITHUB_TOKEN: "y" },
    };
    expect(githubEnvironmentProblems(wrong).map((problem) => problem.field)).toEqual([
      "environmentName",
      "protection.waitMinutes",
      "variables.azure-client",
      "variables.GITHUB_TOKEN",
    ]);
    const recording = await recorded(() =>
      expect(() => new GithubEnvironment("prod", wrong)).toThrow(/environmentName .*; protection/),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("protection", () => {
  it("is checked at run time as strictly as by the types", () => {
    for (const each of legal) expect(protectionProblems("protection", each)).toEqual([]);
    for (const each of illegal) {
      expect(protectionProblems("protection", each), JSON.stringify(each)).not.toEqual([]);
    }
  });

  it("refuses what is no gate, no origin and no reviewer", () => {
    const problems = (text: string) =>
      protectionProblems("p", JSON.parse(text)).map(({ field, message }) => `${field} ${message}`);
    expect(problems('{"gate":"shut","from":"home"}')).toEqual([
      "p.gate is none of open, wait and review",
      "p.from is none of anywhere, protected-branches and matching",
    ]);
    expect(problems('{"gate":"review","from":"anywhere","reviewers":[{},{"user":0}]}')).toEqual([
      "p.reviewers[0] is not exactly one of user and team",
      "p.reviewers[1] is not the number of a user or a team",
    ]);
    expect(problems('{"gate":"open","from":"matching","branches":[" "]}')).toEqual([
      "p.branches have an empty pattern",
    ]);
  });

  it("prevents the review of one's own run unless told otherwise", () => {
    const review = { gate: "review", reviewers: [{ user: 1 }], from: "anywhere" } as const;
    expect(protectionSettings(review).preventSelfReview).toBe(true);
    expect(protectionSettings({ ...review, preventSelfReview: false }).preventSelfReview).toBe(false);
  });
});
