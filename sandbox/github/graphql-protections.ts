import { nodeId } from "./accounts.ts";
import { accessOf, type GitHub } from "./http.ts";
import {
  dropProtection,
  findProtection,
  type Protection,
  protectionDefaults,
  protectionId,
  protectionsOf,
  putProtection,
} from "./protections.ts";
import type { Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

type ProtectionInput = Readonly<Record<string, unknown>>;

/** An error of GraphQL, with its type as GitHub names it. */
export class NamedError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.name = "NamedError";
    this.type = type;
  }
}

/** Branch protection, which GitHub has in GraphQL by pattern. */
export function protectionResolvers(
  github: GitHub,
  viewer: Viewer,
  repositoryOf: (repository: Repository) => object,
): { show(repository: Repository, protection: Protection): object; root: object } {
  const { repositories } = github;

  function show(repository: Repository, protection: Protection): object {
    return {
      __typename: "BranchProtectionRule",
      ...protection,
      id: protectionId(protection),
      databaseId: protection.id,
      repository: repositoryOf(repository),
    };
  }

  /** @throws NamedError for what is not there, or not for the caller to change */
  function requireAdmin(repository: Repository | undefined, id: string): Repository {
    if (repository === undefined || accessOf(viewer, repository) === "none") {
      throw new NamedError("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
    }
    if (accessOf(viewer, repository) === "admin") return repository;
    const { login } = viewer.account;
    throw new NamedError(
      "FORBIDDEN",
      `${login} does not have the correct permissions to execute this mutation`,
    );
  }

  function requireProtection(id: string): { repository: Repository; protection: Protection } {
    const found = findProtection(github, id);
    const repository = requireAdmin(found?.repository, id);
    if (found === undefined) throw new Error("a protection without a repository");
    return { repository, protection: found.protection };
  }

  function write(repository: Repository, old: Protection, input: ProtectionInput) {
    const given = Object.keys(protectionDefaults).flatMap((name) => {
      const value = input[name];
      return value === undefined || value === null ? [] : [[name, value]];
    });
    const pattern = typeof input.pattern === "string" ? input.pattern : old.pattern;
    const taken = protectionsOf(github, repository).some(
      (each) => each.pattern === pattern && each.id !== old.id,
    );
    if (taken) throw new NamedError("UNPROCESSABLE", `Name already protected: ${pattern}`);
    const made = putProtection(github, repository, {
      ...old,
      ...Object.fromEntries(given),
      pattern,
    } as Protection);
    return {
      clientMutationId: input.clientMutationId ?? null,
      branchProtectionRule: show(repository, made),
    };
  }

  const root = {
    createBranchProtectionRule: ({ input }: { input: ProtectionInput }) => {
      const id = String(input.repositoryId);
      const named = repositories.list().find((each) => nodeId("R", each.id) === id);
      const repository = requireAdmin(named, id);
      const fresh = { ...protectionDefaults, id: repositories.nextId(), pattern: "" };
      return write(repository, fresh, input);
    },
    updateBranchProtectionRule: ({ input }: { input: ProtectionInput }) => {
      const { repository, protection } = requireProtection(String(input.branchProtectionRuleId));
      return write(repository, protection, input);
    },
    deleteBranchProtectionRule: ({ input }: { input: ProtectionInput }) => {
      const { repository, protection } = requireProtection(String(input.branchProtectionRuleId));
      dropProtection(github, repository, protection);
      return { clientMutationId: input.clientMutationId ?? null };
    },
  };
  return { show, root };
}
