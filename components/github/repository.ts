import { Repository } from "@pulumi/github/repository.js";
import type { RepositoryPages } from "@pulumi/github/types/input.js";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { type Transform, transformed } from "../shared/transform.ts";
import { type FieldProblem, requireValid } from "../shared/validation.ts";
import { repositoryProblem } from "./model/names.ts";

/** What a caller may change of the repository beyond its arguments. */
export interface RepositoryAdjustments {
  readonly hasIssues: boolean;
  readonly hasProjects: boolean;
  readonly hasWiki: boolean;
  readonly hasDiscussions: boolean;
  readonly allowMergeCommit: boolean;
  readonly allowRebaseMerge: boolean;
  readonly allowAutoMerge: boolean;
  readonly homepageUrl?: string;
  readonly pages?: RepositoryPages;
}

/** How a repository begins: empty, with a first commit, or as a copy. Exactly one. */
export type RepositoryStart =
  | { readonly start?: "first-commit"; readonly template?: never }
  | { readonly start: "empty"; readonly template?: never }
  | { readonly start: "template"; readonly template: { readonly owner: string; readonly name: string } };

/** Arguments of {@link GithubRepository}. */
export type GithubRepositoryArgs = RepositoryStart & {
  /** Name without the owner, 1 to 100 letters, digits, - . and _. The owner is the provider's. */
  readonly repositoryName: string;
  readonly description: string;
  /** Who sees it. @default "private" */
  readonly visibility?: "private" | "internal" | "public";
  /** Words to find it by: a-z, 0-9 and hyphens, each at most 50 characters, at most 20. */
  readonly topics?: readonly string[];
  /** Whether destroying the stack only archives it. What a team wrote is not to go by accident. @default true */
  readonly archiveOnDestroy?: boolean;
  readonly transform?: { readonly repository?: Transform<RepositoryAdjustments> };
};

/**
 * A repository with secure defaults: private, alerts for vulnerable dependencies, secret scanning where it is public (elsewhere it
 * is bought), one commit for each pull request, and branches that go when they are merged.
 */
export class GithubRepository extends ComponentResource {
  readonly repositoryName: Output<string>;
  /** `owner/name` */
  readonly fullName: Output<string>;
  /** The number that outlives every renaming; part of the subjects of its jobs. */
  readonly repositoryId: Output<number>;
  /** Address to clone it from. */
  readonly cloneUrl: Output<string>;

  constructor(name: string, args: GithubRepositoryArgs, options?: ComponentResourceOptions) {
    requireValid("GithubRepository", githubRepositoryProblems(args));
    super("kiln:github:Repository", name, {}, options);

    const visibility = args.visibility ?? "private";
    const repository = new Repository(
      name,
      {
        ...transformed<RepositoryAdjustments>(
          {
            hasIssues: true,
            hasProjects: false,
            hasWiki: false,
            hasDiscussions: false,
            allowMergeCommit: false,
            allowRebaseMerge: false,
            allowAutoMerge: false,
          },
          args.transform?.repository,
        ),
        name: args.repositoryName,
        description: args.description,
        visibility,
        topics: [...(args.topics ?? [])],
        ...beginning(args),
        archiveOnDestroy: args.archiveOnDestroy ?? true,
        allowSquashMerge: true,
        squashMergeCommitTitle: "PR_TITLE",
        squashMergeCommitMessage: "PR_BODY",
        deleteBranchOnMerge: true,
        allowUpdateBranch: true,
        vulnerabilityAlerts: true,
        ...(visibility === "public"
          ? {
              securityAndAnalysis: {
                secretScanning: { status: "enabled" },
                secretScanningPushProtection: { status: "enabled" },
              },
            }
          : {}),
      },
      // How it began says nothing about what it should be.
      { parent: this, ignoreChanges: ["autoInit", "template"] },
    );

    this.repositoryName = repository.name;
    this.fullName = repository.fullName;
    this.repositoryId = repository.repoId;
    this.cloneUrl = repository.httpCloneUrl;
    this.registerOutputs({ fullName: this.fullName, repositoryId: this.repositoryId });
  }
}

function beginning(args: GithubRepositoryArgs) {
  if (args.template !== undefined)
    return { template: { owner: args.template.owner, repository: args.template.name } };
  return { autoInit: args.start !== "empty" };
}

/** Everything that is wrong with the arguments. Pure. */
export function githubRepositoryProblems(args: GithubRepositoryArgs): FieldProblem[] {
  const { topics = [] } = args;
  // As someone may have written it who got round the types.
  const { start = "first-commit", template }: { start?: string; template?: object } = args;
  const problems: (FieldProblem | undefined)[] = [repositoryProblem("repositoryName", args.repositoryName)];
  const say = (field: string, message: string) => problems.push({ field, message });
  if (args.description.length > 350) say("description", "is longer than 350 characters");
  if (topics.length > 20) say("topics", `are ${topics.length}; at most 20 are allowed`);
  for (const topic of topics)
    if (!/^[a-z0-9][a-z0-9-]{0,49}$/.test(topic))
      say("topics", `hold ${JSON.stringify(topic)}, which is not 1 to 50 characters of a-z, 0-9 and -`);
  if (start === "template" && template === undefined) say("template", "is missing, but start is template");
  if (start !== "template" && template !== undefined) say("template", `is given, but start is ${start}`);
  return problems.filter((problem) => problem !== undefined);
}
