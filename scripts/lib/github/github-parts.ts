import type { RepositoryName } from "../../../components/github/model/names.ts";
import type { ProtectionSettings } from "../../../components/github/model/protection.ts";
import { found, type GitHub } from "./client.ts";
import { readProtection, sameProtection, strengthened, writeProtection } from "./environments.ts";
import type { Part } from "./parts.ts";

/** The environment with its protection. What stands before it already stays; it is only ever made stronger. */
export function environmentPart(
  github: GitHub,
  repository: RepositoryName,
  environment: string,
  wanted: ProtectionSettings,
): Part {
  const compare = async () => {
    const now = await readProtection(github, repository, environment);
    return { now, next: strengthened(now, wanted) };
  };
  return {
    what: `environment ${environment} of ${repository.owner}/${repository.name}: ${protectionText(wanted)}`,
    state: async () => {
      const { now, next } = await compare();
      return now === undefined ? "create" : sameProtection(now, next) ? "same" : "update";
    },
    make: async () => {
      const { now, next } = await compare();
      await writeProtection(github, repository, environment, next, now);
    },
  };
}

/** A variable of the environment. Its value may only be known once the parts before it are made. */
export function variablePart(
  github: GitHub,
  { owner, name: repo }: RepositoryName,
  environment: string,
  variable: { readonly name: string; readonly value: () => Promise<string | undefined> },
): Part {
  const { name } = variable;
  const at = { owner, repo, environment_name: environment };
  const read = () => found(github.actions.getEnvironmentVariable({ ...at, name }));
  return {
    what: `variable ${name} of ${environment}`,
    state: async () => {
      const now = await read();
      return now === undefined ? "create" : now.value === (await variable.value()) ? "same" : "update";
    },
    make: async () => {
      const value = (await variable.value()) ?? "";
      if ((await read()) === undefined)
        await github.actions.createEnvironmentVariable({ ...at, name, value });
      else await github.actions.updateEnvironmentVariable({ ...at, name, value });
    },
  };
}

function protectionText(settings: ProtectionSettings): string {
  const { users, teams, refs, branches, tags } = settings;
  const reviewers = users.length + teams.length;
  return [
    reviewers === 0
      ? ""
      : `${reviewers === 1 ? "one reviewer" : `${reviewers} reviewers`}, none of one's own run`,
    refs === "patterns" ? `only from ${[...branches, ...tags].join(", ")}` : "",
  ]
    .filter((each) => each !== "")
    .join("; ");
}
