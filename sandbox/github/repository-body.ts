import { type Access, findAccount, nodeId, reaches, simpleAccount } from "./accounts.ts";
import { fullName, instant, type Repository } from "./state.ts";

/** What a GET of a repository answers. */
export function repositoryBody(
  repository: Repository,
  access: Access,
  source: Repository | undefined,
): Record<string, unknown> {
  const owner = findAccount(repository.owner);
  const { has_discussions, is_template, archived, ...settings } = repository.settings;
  return {
    ...simpleRepository(repository),
    git_url: `git://github.com/${fullName(repository)}.git`,
    ssh_url: `git@github.com:${fullName(repository)}.git`,
    clone_url: `https://github.com/${fullName(repository)}.git`,
    svn_url: `https://github.com/${fullName(repository)}`,
    mirror_url: null,
    homepage: repository.homepage,
    language: null,
    license: null,
    size: 0,
    forks: 0,
    forks_count: 0,
    open_issues: 0,
    open_issues_count: 0,
    stargazers_count: 0,
    subscribers_count: 0,
    network_count: 0,
    watchers: 0,
    watchers_count: 0,
    disabled: false,
    has_pages: false,
    has_discussions,
    is_template,
    archived,
    ...settings,
    topics: repository.topics,
    visibility: repository.visibility,
    default_branch: repository.defaultBranch,
    permissions: {
      admin: access === "admin",
      maintain: access === "admin",
      push: reaches(access, "write"),
      triage: reaches(access, "write"),
      pull: reaches(access, "read"),
    },
    security_and_analysis: repository.securityAndAnalysis,
    temp_clone_token: "",
    custom_properties: {},
    created_at: instant(repository.createdAt),
    updated_at: instant(repository.updatedAt),
    pushed_at: instant(repository.pushedAt),
    ...(owner?.type === "Organization" ? { organization: simpleAccount(owner) } : {}),
    ...(source === undefined ? {} : { template_repository: simpleRepository(source) }),
  };
}

const links = [
  "forks",
  "teams",
  "hooks",
  "events",
  "tags",
  "languages",
  "stargazers",
  "contributors",
  "subscribers",
  "subscription",
  "merges",
  "downloads",
  "deployments",
];
const templates: Readonly<Record<string, string>> = {
  keys_url: "keys{/key_id}",
  collaborators_url: "collaborators{/collaborator}",
  issue_events_url: "issues/events{/number}",
  assignees_url: "assignees{/user}",
  branches_url: "branches{/branch}",
  blobs_url: "git/blobs{/sha}",
  git_tags_url: "git/tags{/sha}",
  git_refs_url: "git/refs{/sha}",
  trees_url: "git/trees{/sha}",
  statuses_url: "statuses/{sha}",
  commits_url: "commits{/sha}",
  git_commits_url: "git/commits{/sha}",
  comments_url: "comments{/number}",
  issue_comment_url: "issues/comments{/number}",
  contents_url: "contents/{+path}",
  compare_url: "compare/{base}...{head}",
  archive_url: "{archive_format}{/ref}",
  issues_url: "issues{/number}",
  pulls_url: "pulls{/number}",
  milestones_url: "milestones{/number}",
  notifications_url: "notifications{?since,all,participating}",
  labels_url: "labels{/name}",
  releases_url: "releases{/id}",
};

/** A repository where another object names it. */
export function simpleRepository(repository: Repository): Record<string, unknown> {
  const owner = findAccount(repository.owner);
  const url = apiUrl(repository);
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.visibility !== "public",
    owner: owner === undefined ? null : simpleAccount(owner),
    html_url: htmlUrl(repository),
    description: repository.description,
    fork: false,
    url,
    ...Object.fromEntries(links.map((name) => [`${name}_url`, `${url}/${name}`])),
    ...Object.fromEntries(Object.entries(templates).map(([name, rest]) => [name, `${url}/${rest}`])),
  };
}

export function apiUrl(repository: Repository): string {
  return `https://api.github.com/repos/${fullName(repository)}`;
}

export function htmlUrl(repository: Repository): string {
  return `https://github.com/${fullName(repository)}`;
}
