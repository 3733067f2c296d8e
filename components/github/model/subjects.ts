/**
 * Who a job is, as GitHub's OpenID provider says it. Source: docs.github.com/actions/reference/security/oidc, and for the two
 * forms learn.microsoft.com/entra/workload-id/workload-identities-github-immutable-subjects
 */
import { createHash } from "node:crypto";

/** GitHub's OpenID provider. */
export const ISSUER = "https://token.actions.githubusercontent.com";
/** Whom a job's token is meant for when it is to be exchanged for one of Azure's. */
export { AUDIENCE } from "../../shared/federation.ts";

/** Which jobs of a repository: exactly one of these. */
export type Job =
  /** Those that name this environment. A job that names one has no other subject. */
  | {
      readonly environment: string;
      readonly branch?: never;
      readonly tag?: never;
      readonly pullRequest?: never;
    }
  /** Those of runs on this branch. */
  | {
      readonly branch: string;
      readonly environment?: never;
      readonly tag?: never;
      readonly pullRequest?: never;
    }
  /** Those of runs on this tag. */
  | {
      readonly tag: string;
      readonly environment?: never;
      readonly branch?: never;
      readonly pullRequest?: never;
    }
  /** Those of pull requests from branches of the repository itself; forks get no token. */
  | {
      readonly pullRequest: true;
      readonly environment?: never;
      readonly branch?: never;
      readonly tag?: never;
    };

/** A repository by its names and by its ids, which outlive every renaming. Letter case matters in both. */
export interface FederatedRepository {
  readonly owner: string;
  readonly name: string;
  /** Number of the person or organization. */
  readonly ownerId: number;
  /** Number of the repository. */
  readonly repositoryId: number;
}

/** The two forms of subject in the order in which they are written. */
export const SUBJECT_FORMS = ["ids", "names"] as const;
/**
 * `ids`: repositories made, renamed or transferred since 15 July 2026. `names`: older ones; whoever gets hold of both names
 * later is trusted with it.
 */
export type SubjectForm = (typeof SUBJECT_FORMS)[number];

/** The subject of a job's token. Pure. */
export function subjectOf(repository: FederatedRepository, job: Job, form: SubjectForm): string {
  const { owner, name, ownerId, repositoryId } = repository;
  const repo = form === "ids" ? `${owner}@${ownerId}/${name}@${repositoryId}` : `${owner}/${name}`;
  return `repo:${repo}:${contextOf(job)}`;
}

/**
 * Name of the federated credential for one kind of job, 3 to 120 letters, digits, - and _. It tells apart what only differs in
 * letters that a name cannot have. Pure.
 */
export function credentialName(
  { owner, name }: Pick<FederatedRepository, "owner" | "name">,
  job: Job,
  form: SubjectForm,
): string {
  const context = contextOf(job);
  const hash = createHash("sha256").update(`${owner}/${name}:${context}`).digest("hex").slice(0, 8);
  const readable = `github-${name}-${context}`.replaceAll(/[^A-Za-z0-9-]+/g, "-").slice(0, 100);
  return `${readable}-${hash}-${form}`;
}

function contextOf(job: Job): string {
  if (job.environment !== undefined) return `environment:${job.environment}`;
  if (job.branch !== undefined) return `ref:refs/heads/${job.branch}`;
  if (job.tag !== undefined) return `ref:refs/tags/${job.tag}`;
  return "pull_request";
}
