import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox } from "./support.ts";

/** What `gh` asks by GraphQL before it works on a repository, in the shape of its own questions. */
let it: GitHubSandbox;
beforeAll(async () => {
  it = await gitHubSandbox();
});
afterAll(() => it.close());

interface Failure {
  readonly errors: readonly { type?: string; path?: readonly string[]; message: string }[];
}

async function failure(call: Promise<unknown>): Promise<Failure["errors"]> {
  return call.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: Failure) => error.errors,
  );
}

const repositoryInfo = `
  fragment repo on Repository { id name owner { login } viewerPermission defaultBranchRef { name } }
  query RepositoryInfo($owner: String!, $name: String!) {
    repository(owner: $owner, name: $name) { ...repo parent { ...repo } isPrivate visibility squashMergeAllowed }
  }`;

test("a repository is made and found, by whom it concerns", async () => {
  const { graphql, rest } = it.octokit();
  const { repositoryOwner } = await graphql<{ repositoryOwner: { id: string } }>(
    `query($login: String!) { repositoryOwner(login: $login) { id ... on Organization { viewerCanCreateRepositories } } }`,
    { login: "kiln" },
  );
  const made = await graphql(
    `mutation($input: CreateRepositoryInput!) { createRepository(input: $input) { repository { nameWithOwner url } } }`,
    { input: { name: "asked", visibility: "PRIVATE", ownerId: repositoryOwner.id, hasWikiEnabled: false } },
  );
  expect(made).toEqual({
    createRepository: { repository: { nameWithOwner: "kiln/asked", url: "https://github.com/kiln/asked" } },
  });
  const { data } = await rest.repos.get({ owner: "kiln", repo: "asked" });
  expect(data).toMatchObject({ private: true, has_wiki: false, has_issues: true });
  const variables = { owner: "kiln", name: "asked" };
  expect(await graphql(repositoryInfo, variables)).toEqual({
    repository: {
      id: data.node_id,
      name: "asked",
      owner: { login: "kiln" },
      viewerPermission: "ADMIN",
      defaultBranchRef: null,
      parent: null,
      isPrivate: true,
      visibility: "PRIVATE",
      squashMergeAllowed: true,
    },
  });
  expect(await failure(it.octokit("stranger").graphql(repositoryInfo, variables))).toMatchObject([
    { type: "NOT_FOUND", path: ["repository"] },
  ]);
});

test("people and their repositories are found", async () => {
  const query = `{ viewer { login organizations(first: 10) { nodes { login } } }
    organization(login: "kiln") { repositories(first: 10) { totalCount nodes { name isEmpty } } } }`;
  expect(await it.octokit("reader").graphql(query)).toEqual({
    viewer: { login: "kiln-reader", organizations: { nodes: [{ login: "kiln" }] } },
    organization: { repositories: { totalCount: 1, nodes: [{ name: "asked", isEmpty: true }] } },
  });
});

test("what is not served is said by its name, and a wrong wish is refused", async () => {
  const { graphql } = it.octokit();
  const [error] = await failure(
    graphql(`{ repository(owner: "kiln", name: "asked") { pullRequests { totalCount } } }`),
  );
  expect(error?.message).toContain(`Cannot query field "pullRequests"`);
  const mutation = `mutation($input: CreateRepositoryInput!) { createRepository(input: $input) { repository { id } } }`;
  const again = graphql(mutation, { input: { name: "asked", visibility: "PUBLIC" } });
  expect(await again).toMatchObject({ createRepository: { repository: {} } });
  const twice = graphql(mutation, { input: { name: "asked", visibility: "PUBLIC" } });
  expect(await failure(twice)).toMatchObject([
    { type: "UNPROCESSABLE", message: "Repository creation failed." },
  ]);
});
