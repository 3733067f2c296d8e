import type { GitHub } from "./http.ts";
import type { Repository } from "./state.ts";

/** A pull request between two branches of one repository. */
export interface PullRequest {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly draft: boolean;
  readonly state: "open" | "closed";
  readonly authorId: number;
  /** Names of branches. */
  readonly head: string;
  readonly base: string;
  /** The head's commit while it is open, and its last one afterwards. */
  readonly headSha: string;
  readonly baseSha: string;
  readonly merged?: { readonly sha: string; readonly byId: number; readonly at: number };
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly closedAt?: number;
}

const kind = "github-pulls";

/** The pull requests of a repository, the newest first. */
export function pullsOf({ repositories }: GitHub, repository: Repository): PullRequest[] {
  return repositories
    .children<PullRequest>(kind, repository.id)
    .map(([, pull]) => pull)
    .sort((a, b) => b.number - a.number);
}

export function findPull({ cloud }: GitHub, repository: Repository, number: number): PullRequest | undefined {
  return cloud.store.collection<PullRequest>(kind).get(`${repository.id}/${number}`);
}

export function putPull({ cloud }: GitHub, repository: Repository, pull: PullRequest): PullRequest {
  cloud.store.collection<PullRequest>(kind).put(`${repository.id}/${pull.number}`, pull);
  return pull;
}

/** The open ones whose head is a branch. */
export function openFrom(github: GitHub, repository: Repository, branch: string): PullRequest[] {
  return pullsOf(github, repository).filter(({ state, head }) => state === "open" && head === branch);
}
