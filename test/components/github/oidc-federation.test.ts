import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credentialName, subjectOf } from "../../../components/github/model/subjects.ts";
import {
  OidcFederation,
  type OidcFederationArgs,
  oidcFederationProblems,
} from "../../../components/github/oidc-federation.ts";
import { recorded } from "../recording.ts";

const repository = { owner: "Example", name: "kiln.app", ownerId: 12, repositoryId: 345 };
const args: OidcFederationArgs = {
  resourceGroupName: "rg",
  identityName: "id",
  repository,
  jobs: [{ environment: "prod" }, { branch: "main" }],
};

describe("OidcFederation", () => {
  it("trusts each kind of job in both forms, one credential after the other", async () => {
    const recording = await recorded(() => new OidcFederation("federation", args));
    const made = recording.resources.filter((each) =>
      each.type.endsWith("managedidentity:FederatedIdentityCredential"),
    );
    expect(made.map((each) => each.inputs.subject)).toEqual([
      "repo:Example@12/kiln.app@345:environment:prod",
      "repo:Example/kiln.app:environment:prod",
      "repo:Example@12/kiln.app@345:ref:refs/heads/main",
      "repo:Example/kiln.app:ref:refs/heads/main",
    ]);
    for (const [index, each] of made.entries()) {
      expect(each.inputs).toMatchObject({
        resourceGroupName: "rg",
        resourceName: "id",
        issuer: "https://token.actions.githubusercontent.com",
        audiences: ["api://AzureADTokenExchange"],
      });
      const before = made[index - 1];
      expect(each.dependsOn.filter((urn) => urn.includes("FederatedIdentityCredential"))).toEqual(
        before === undefined ? [] : [expect.stringMatching(new RegExp(`::${before.name}$`))],
      );
    }
  });

  it("trusts one form where one is asked for", async () => {
    const { ownerId, repositoryId, ...names } = repository;
    const subjectsOf = async (trusted: OidcFederationArgs["repository"]) => {
      const recording = await recorded(
        () => new OidcFederation("f", { ...args, repository: trusted, jobs: [{ pullRequest: true }] }),
      );
      return recording.resources.flatMap((each) => each.inputs.subject ?? []);
    };
    expect(await subjectsOf({ ...repository, forms: "ids" })).toEqual([
      "repo:Example@12/kiln.app@345:pull_request",
    ]);
    expect(await subjectsOf({ ...names, forms: "names" })).toEqual(["repo:Example/kiln.app:pull_request"]);
    expect([ownerId, repositoryId]).toEqual([12, 345]);
  });

  it("refuses what Azure would, before anything is registered", async () => {
    const many = Array.from({ length: 11 }, (_, at) => ({ environment: `e${at}` }));
    const wrong = [
      [{ ...args, jobs: many as never }, "jobs make 22 credentials; Azure takes 20 on one identity"],
      [{ ...args, jobs: [] as never }, "jobs are none"],
      [{ ...args, jobs: [{ tag: "v1" }, { tag: "v1" }] as const }, "jobs name the same jobs twice"],
      [
        { ...args, jobs: [{ branch: "release/*" }] as const },
        'jobs[0] "release/*" is no name of a branch or tag; a subject has no patterns',
      ],
      [
        { ...args, repository: { owner: "o", name: "r" } as never },
        "repository.ownerId and repository.repositoryId are needed unless repository.forms is names",
      ],
    ] as const;
    for (const [each, message] of wrong) {
      expect(oidcFederationProblems(each).map((problem) => `${problem.field} ${problem.message}`)).toEqual([
        message,
      ]);
    }
    const recording = await recorded(() =>
      expect(() => new OidcFederation("f", { ...args, jobs: [{ environment: "a:b" }] })).toThrow(/a:b/),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("credential names", () => {
  const text = fc.string({ minLength: 1, maxLength: 300 });

  it("are what Azure takes, whatever the repository and the job are called", () => {
    fc.assert(
      fc.property(text, text, text, (owner, name, environment) => {
        for (const form of ["ids", "names"] as const) {
          expect(credentialName({ owner, name }, { environment }, form)).toMatch(
            /^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$/,
          );
        }
      }),
    );
  });

  it("tell apart what differs in letters that they cannot have", () => {
    const name = (environment: string) => credentialName(repository, { environment }, "ids");
    expect(name("a.b")).not.toBe(name("a-b"));
    expect(name("a.b")).toBe(name("a.b"));
  });
});

it("keeps the letter case of a subject", () => {
  expect(subjectOf(repository, { tag: "V1" }, "names")).toBe("repo:Example/kiln.app:ref:refs/tags/V1");
});
