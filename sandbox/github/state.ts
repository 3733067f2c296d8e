import type { Cloud } from "../core/cloud.ts";
import type { Collection } from "../core/store.ts";

export type Visibility = "public" | "private" | "internal";

/** What a PATCH can set and a GET shows under the same name. */
export interface RepositorySettings {
  readonly has_issues: boolean;
  readonly has_projects: boolean;
  readonly has_wiki: boolean;
  readonly has_downloads: boolean;
  readonly has_discussions: boolean;
  readonly is_template: boolean;
  readonly allow_squash_merge: boolean;
  readonly allow_merge_commit: boolean;
  readonly allow_rebase_merge: boolean;
  readonly allow_auto_merge: boolean;
  readonly allow_update_branch: boolean;
  readonly allow_forking: boolean;
  readonly delete_branch_on_merge: boolean;
  readonly squash_merge_commit_title: "PR_TITLE" | "COMMIT_OR_PR_TITLE";
  readonly squash_merge_commit_message: "PR_BODY" | "COMMIT_MESSAGES" | "BLANK";
  readonly merge_commit_title: "PR_TITLE" | "MERGE_MESSAGE";
  readonly merge_commit_message: "PR_BODY" | "PR_TITLE" | "BLANK";
  readonly web_commit_signoff_required: boolean;
  readonly archived: boolean;
}

export const defaultSettings: RepositorySettings = {
  has_issues: true,
  has_projects: true,
  has_wiki: true,
  has_downloads: true,
  has_discussions: false,
  is_template: false,
  allow_squash_merge: true,
  allow_merge_commit: true,
  allow_rebase_merge: true,
  allow_auto_merge: false,
  allow_update_branch: false,
  allow_forking: false,
  delete_branch_on_merge: false,
  squash_merge_commit_title: "COMMIT_OR_PR_TITLE",
  squash_merge_commit_message: "COMMIT_MESSAGES",
  merge_commit_title: "MERGE_MESSAGE",
  merge_commit_message: "PR_TITLE",
  web_commit_signoff_required: false,
  archived: false,
};

/** A repository as the sandbox keeps it. Times are sandbox milliseconds. */
export interface Repository {
  readonly id: number;
  /** The owner's login. */
  readonly owner: string;
  readonly name: string;
  /** `owner/name`s of before, which redirect until someone takes them. */
  readonly formerly: readonly string[];
  readonly description: string | null;
  readonly homepage: string | null;
  readonly visibility: Visibility;
  readonly settings: RepositorySettings;
  readonly topics: readonly string[];
  readonly defaultBranch: string;
  readonly securityAndAnalysis: Readonly<Record<string, { status: "enabled" | "disabled" }>>;
  readonly vulnerabilityAlerts: boolean;
  readonly template?: { readonly owner: string; readonly name: string };
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly pushedAt: number;
  /** When it got its present name: what decides the form of its OIDC subjects. */
  readonly namedAt: number;
}

/** Everything that lives below a repository is kept under `<repository id>/…`. */
const childKinds = [
  "github-environments",
  "github-branch-policies",
  "github-variables",
  "github-secrets",
  "github-secret-keys",
  "github-oidc-subjects",
  "github-actions",
  "github-runs",
  "github-rulesets",
  "github-pulls",
  "github-comments",
  "github-releases",
  "github-protections",
] as const;
export type ChildKind = (typeof childKinds)[number];

/** Kept through every reset: who trusts a repository by its id must not meet another one. */
export const keptCounters = "github-counters";

/** The repositories of the sandbox's GitHub, and the numbers it gives. */
export class Repositories {
  readonly #cloud: Cloud;
  readonly #all: Collection<Repository>;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#all = cloud.store.collection<Repository>("github-repositories");
  }

  list(): Repository[] {
    return this.#all.values();
  }

  byId(id: number): Repository | undefined {
    return this.#all.get(String(id));
  }

  /** Names have no case. */
  byName(owner: string, name: string): Repository | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return this.list().find((each) => fullName(each).toLowerCase() === wanted);
  }

  /** The repository that had this name once. */
  byFormerName(owner: string, name: string): Repository | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return this.list().find((each) => each.formerly.includes(wanted));
  }

  put(repository: Repository): Repository {
    this.#all.put(String(repository.id), repository);
    return repository;
  }

  /** Changes what is there and notes when. */
  update(id: number, change: Partial<Repository>): Repository {
    const found = this.byId(id);
    if (found === undefined) throw new Error(`the repository ${id} is gone`);
    return this.put({ ...found, ...change, updatedAt: this.#cloud.clock.now() });
  }

  /** With everything that belongs to it, at one stroke. */
  remove(id: number): void {
    this.#cloud.store.transaction(() => {
      this.#all.delete(String(id));
      for (const kind of childKinds) {
        const children = this.#cloud.store.collection(kind);
        for (const [key] of children.entries()) if (key.startsWith(`${id}/`)) children.delete(key);
      }
    });
  }

  /** What is kept of one kind below a repository, in the order of its making. */
  children<T>(kind: ChildKind, id: number, below = ""): [string, T][] {
    const prefix = `${id}/${below}`;
    return this.#cloud.store
      .collection<T>(kind)
      .entries()
      .filter(([key]) => key.startsWith(prefix));
  }

  /** Ids are never given twice, also not to another kind of thing, nor after a reset. */
  nextId(): number {
    const counters = this.#cloud.store.collection<number>(keptCounters);
    const next = (counters.get("id") ?? 1_000_000_000) + 1;
    counters.put("id", next);
    return next;
  }
}

export function fullName(repository: Pick<Repository, "owner" | "name">): string {
  return `${repository.owner}/${repository.name}`;
}

/** GitHub's times have no milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
