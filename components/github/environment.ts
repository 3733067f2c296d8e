import { ActionsEnvironmentVariable } from "@pulumi/github/actionsEnvironmentVariable.js";
import {
  RepositoryEnvironment,
  type RepositoryEnvironmentArgs,
} from "@pulumi/github/repositoryEnvironment.js";
import { RepositoryEnvironmentDeploymentPolicy } from "@pulumi/github/repositoryEnvironmentDeploymentPolicy.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { type FieldProblem, requireValid } from "../shared/validation.ts";
import { environmentProblem, variableProblem } from "./model/names.ts";
import { type Protection, protectionProblems, protectionSettings } from "./model/protection.ts";

/** Arguments of {@link GithubEnvironment}. */
export interface GithubEnvironmentArgs {
  /** Name of the repository, without the owner. */
  readonly repository: Input<string>;
  /** Name of the environment, as workflows name it. */
  readonly environmentName: string;
  /** What stands before it. The types leave out what GitHub would refuse, or take and ignore. */
  readonly protection: Protection;
  /** Its variables. Everyone who can read the repository's runs may see them: never a secret. */
  readonly variables?: { readonly [name: string]: Input<string> };
}

/**
 * An environment of a repository with its protection and its variables. It exists, protected, before any workflow names it: one
 * that a workflow names first springs into being without protection.
 */
export class GithubEnvironment extends ComponentResource {
  readonly environmentName: Output<string>;

  constructor(name: string, args: GithubEnvironmentArgs, options?: ComponentResourceOptions) {
    requireValid("GithubEnvironment", githubEnvironmentProblems(args));
    super("kiln:github:Environment", name, {}, options);

    const environment = new RepositoryEnvironment(name, environmentArgs(args), { parent: this });
    const place = { repository: args.repository, environment: environment.environment };
    const patterns = this.#patterns(name, args.protection, place);
    for (const [variableName, value] of Object.entries(args.variables ?? {})) {
      const child = `${name}-${variableName.toLowerCase().replaceAll("_", "-")}`;
      // With what the variables say, a job could act: the way to them is narrow before they are there.
      const options = { parent: this, dependsOn: patterns };
      new ActionsEnvironmentVariable(child, { ...place, variableName, value }, options);
    }

    this.environmentName = environment.environment;
    this.registerOutputs({ environmentName: this.environmentName });
  }

  #patterns(
    name: string,
    protection: Protection,
    place: { repository: Input<string>; environment: Input<string> },
  ): RepositoryEnvironmentDeploymentPolicy[] {
    const { branches, tags } = protectionSettings(protection);
    const all = [
      ...branches.map((pattern) => ({ kind: "branch", pattern, is: { branchPattern: pattern } })),
      ...tags.map((pattern) => ({ kind: "tag", pattern, is: { tagPattern: pattern } })),
    ];
    return all.map(
      ({ kind, pattern, is }) =>
        new RepositoryEnvironmentDeploymentPolicy(
          `${name}-${kind}-${pattern}`,
          { ...place, ...is },
          { parent: this },
        ),
    );
  }
}

/** The provider's arguments. Pure. */
export function environmentArgs(args: GithubEnvironmentArgs): RepositoryEnvironmentArgs {
  const settings = protectionSettings(args.protection);
  const { users, teams, refs } = settings;
  return {
    repository: args.repository,
    environment: args.environmentName,
    canAdminsBypass: settings.adminsBypass,
    preventSelfReview: settings.preventSelfReview,
    waitTimer: settings.waitMinutes,
    ...(users.length + teams.length > 0 ? { reviewers: [{ users: [...users], teams: [...teams] }] } : {}),
    ...(refs === undefined
      ? {}
      : {
          deploymentBranchPolicy: {
            protectedBranches: refs === "protected-branches",
            customBranchPolicies: refs === "patterns",
          },
        }),
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function githubEnvironmentProblems(args: GithubEnvironmentArgs): FieldProblem[] {
  return [
    environmentProblem("environmentName", args.environmentName),
    ...protectionProblems("protection", args.protection),
    ...Object.keys(args.variables ?? {}).map((name) => variableProblem(`variables.${name}`, name)),
  ].filter((problem) => problem !== undefined);
}
