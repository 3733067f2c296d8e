import type { ExecutionResult, GraphQLError, GraphQLSchema } from "graphql";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { type Account, accessIn, findAccount, listUsers, nodeId, organization, reaches } from "./accounts.ts";
import { personOf } from "./commits-write.ts";
import { GitHubError } from "./errors.ts";
import { NamedError, protectionResolvers } from "./graphql-protections.ts";
import { graphqlSchema } from "./graphql-schema.ts";
import { accessOf, type GitHub, parse, requireViewer } from "./http.ts";
import { findProtection, protectionsOf } from "./protections.ts";
import { listRefs } from "./refs.ts";
import { type Release, releasesOf } from "./releases-state.ts";
import { htmlUrl } from "./repository-body.ts";
import { makeRepository } from "./repository-make.ts";
import { fullName, instant, type Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

let loaded: Promise<{ schema: GraphQLSchema; library: typeof import("graphql") }> | undefined;

/** Loaded only here: REST is what nearly everything speaks. */
function load() {
  loaded ??= import("graphql").then((library) => ({
    library,
    schema: library.buildSchema(graphqlSchema),
  }));
  return loaded;
}

/** `POST /graphql`: repositories and people, which `gh` asks for before it does anything. */
export function graphqlRoute(api: Service, github: GitHub): void {
  api.post("/graphql", { config: { docs: "graphql" } }, async (request) => {
    const viewer = requireViewer(request);
    const { query, variables, operationName } = parse(requestSchema, request.body);
    const { schema, library } = await load();
    const result = (await library.graphql({
      schema,
      source: query,
      rootValue: rootOf(github, viewer),
      ...(variables ? { variableValues: variables } : {}),
      ...(operationName ? { operationName } : {}),
    })) as ExecutionResult;
    const { data, errors } = result;
    return {
      ...(data === undefined ? {} : { data }),
      ...(errors === undefined ? {} : { errors: errors.map(errorBody) }),
    };
  });
}

/** GitHub puts an error's type beside its message. */
function errorBody(error: GraphQLError): object {
  const { message, path, locations, originalError } = error;
  const type =
    originalError instanceof NamedError
      ? originalError.type
      : originalError instanceof GitHubError
        ? "UNPROCESSABLE"
        : undefined;
  return { ...(type === undefined ? {} : { type }), path, locations, message };
}

function rootOf(github: GitHub, viewer: Viewer): object {
  const { repositories } = github;
  const sees = (repository: Repository) => reaches(accessOf(viewer, repository), "read");
  const named = (what: string, account: Account | undefined, type?: Account["type"]) => (login: string) => {
    if (account !== undefined && (type === undefined || account.type === type)) return ownerOf(account);
    throw new NamedError("NOT_FOUND", `Could not resolve to ${what} with the login of '${login}'.`);
  };

  function ownerOf(account: Account): object {
    const owned = () =>
      repositories
        .list()
        .filter((each) => each.owner === account.login && sees(each))
        .map(repositoryOf);
    return {
      __typename: account.type,
      id: nodeId(account.type === "User" ? "U" : "O", account.id),
      databaseId: account.id,
      login: account.login,
      name: account.name,
      url: `https://github.com/${account.login}`,
      viewerCanCreateRepositories: reaches(accessIn(account.login, viewer.account.login), "write"),
      organizations: () => connection(isMember(account) ? [ownerOf(organization)] : []),
      repositories: () => connection(owned()),
    };
  }

  function repositoryOf(repository: Repository): object {
    const { settings, template } = repository;
    const access = accessOf(viewer, repository);
    const owner = findAccount(repository.owner);
    const releases = () => releaseNodes(repository, releasesOf(github, repository), reaches(access, "write"));
    const branches = async () =>
      (await listRefs(github, repository)).filter(({ name }) => name.startsWith("refs/heads/"));
    return {
      __typename: "Repository",
      id: nodeId("R", repository.id),
      databaseId: repository.id,
      name: repository.name,
      nameWithOwner: fullName(repository),
      owner: owner === undefined ? null : ownerOf(owner),
      description: repository.description,
      homepageUrl: repository.homepage,
      url: htmlUrl(repository),
      sshUrl: `git@github.com:${fullName(repository)}.git`,
      createdAt: instant(repository.createdAt),
      updatedAt: instant(repository.updatedAt),
      pushedAt: instant(repository.pushedAt),
      archivedAt: settings.archived ? instant(repository.updatedAt) : null,
      isArchived: settings.archived,
      isEmpty: async () => (await branches()).length === 0,
      isFork: false,
      isInOrganization: owner?.type === "Organization",
      isPrivate: repository.visibility !== "public",
      isTemplate: settings.is_template,
      visibility: repository.visibility.toUpperCase(),
      defaultBranchRef: async () => {
        const wanted = `refs/heads/${repository.defaultBranch}`;
        const there = (await branches()).some(({ name }) => name === wanted);
        const id = nodeId("REF", repository.id);
        return there ? { id, name: repository.defaultBranch, prefix: "refs/heads/" } : null;
      },
      deleteBranchOnMerge: settings.delete_branch_on_merge,
      hasIssuesEnabled: settings.has_issues,
      hasProjectsEnabled: settings.has_projects,
      hasWikiEnabled: settings.has_wiki,
      hasDiscussionsEnabled: settings.has_discussions,
      mergeCommitAllowed: settings.allow_merge_commit,
      rebaseMergeAllowed: settings.allow_rebase_merge,
      squashMergeAllowed: settings.allow_squash_merge,
      viewerPermission: access === "none" ? null : access.toUpperCase(),
      viewerCanAdminister: access === "admin",
      viewerDefaultCommitEmail: personOf(viewer.account).email,
      templateRepository: () => {
        const source = template && repositories.byName(template.owner, template.name);
        return source !== undefined && sees(source) ? repositoryOf(source) : null;
      },
      branchProtectionRules: () =>
        connection(protectionsOf(github, repository).map((each) => protections.show(repository, each))),
      latestRelease: () => releases().find(({ isLatest }) => isLatest) ?? null,
      release: ({ tagName }: { tagName: string }) =>
        releases().find((release) => release.tagName === tagName) ?? null,
      releases: () => connection(releases()),
      stargazerCount: 0,
      forkCount: 0,
      diskUsage: 0,
      repositoryTopics: () => connection(repository.topics.map((name) => ({ topic: { name } }))),
    };
  }

  const protections = protectionResolvers(github, viewer, repositoryOf);
  return {
    ...protections.root,
    node: ({ id }: { id: string }) => {
      const protection = findProtection(github, id);
      if (protection !== undefined && sees(protection.repository)) {
        return protections.show(protection.repository, protection.protection);
      }
      const repository = repositories.list().find((each) => nodeId("R", each.id) === id);
      if (repository !== undefined && sees(repository)) return repositoryOf(repository);
      const account = accounts().find((each) => idOfAccount(each) === id);
      if (account !== undefined) return ownerOf(account);
      throw new NamedError("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
    },
    viewer: () => ownerOf(viewer.account),
    user: ({ login }: { login: string }) => named("a User", findAccount(login), "User")(login),
    organization: ({ login }: { login: string }) =>
      named("an Organization", findAccount(login), "Organization")(login),
    repositoryOwner: ({ login }: { login: string }) => named("a RepositoryOwner", findAccount(login))(login),
    repository: ({ owner, name }: { owner: string; name: string }) => {
      const found = repositories.byName(owner, name) ?? repositories.byFormerName(owner, name);
      if (found !== undefined && sees(found)) return repositoryOf(found);
      throw new NamedError(
        "NOT_FOUND",
        `Could not resolve to a Repository with the name '${owner}/${name}'.`,
      );
    },
    createRepository: async ({ input }: { input: CreateInput }) => {
      const owner =
        input.ownerId == null
          ? viewer.account
          : accounts().find((each) => idOfAccount(each) === input.ownerId);
      if (owner === undefined) {
        throw new NamedError(
          "NOT_FOUND",
          `Could not resolve to a node with the global id of '${input.ownerId}'`,
        );
      }
      const made = await makeRepository(github, viewer, owner, {
        name: input.name,
        description: input.description ?? null,
        homepage: input.homepageUrl ?? null,
        visibility: input.visibility.toLowerCase(),
        has_issues: input.hasIssuesEnabled,
        has_wiki: input.hasWikiEnabled,
        is_template: input.template,
      });
      return { clientMutationId: input.clientMutationId ?? null, repository: repositoryOf(made) };
    },
  };
}

/** Drafts are for who may publish them. */
function releaseNodes(repository: Repository, releases: readonly Release[], seesDrafts: boolean) {
  const latest = releases.find(({ draft, prerelease }) => !draft && !prerelease);
  return releases
    .filter(({ draft }) => seesDrafts || !draft)
    .map((release) => ({
      __typename: "Release",
      id: nodeId("RE", release.id),
      databaseId: release.id,
      name: release.name,
      tagName: release.tag,
      description: release.body,
      isDraft: release.draft,
      isLatest: release.id === latest?.id,
      isPrerelease: release.prerelease,
      createdAt: instant(release.createdAt),
      publishedAt: release.publishedAt === undefined ? null : instant(release.publishedAt),
      url: `${htmlUrl(repository)}/releases/tag/${release.tag}`,
    }));
}

interface CreateInput {
  readonly name: string;
  readonly ownerId?: string | null;
  readonly visibility: string;
  readonly description?: string | null;
  readonly homepageUrl?: string | null;
  readonly hasIssuesEnabled: boolean;
  readonly hasWikiEnabled: boolean;
  readonly template: boolean;
  readonly clientMutationId?: string | null;
}

function accounts(): Account[] {
  return [organization, ...listUsers()];
}

function idOfAccount(account: Account): string {
  return nodeId(account.type === "User" ? "U" : "O", account.id);
}

function isMember(account: Account): boolean {
  return reaches(accessIn(organization.login, account.login), "read");
}

/** All of it on one page: nobody has more than a client asks for at once. */
function connection(nodes: readonly object[]): object {
  const pageInfo = { endCursor: null, hasNextPage: false, hasPreviousPage: false, startCursor: null };
  return { nodes, totalCount: nodes.length, pageInfo };
}
