import { isRecord } from "../arm-client.ts";
import { fromJson } from "../shape.ts";
import { isMap, type ValueMap } from "../values.ts";
import type { GitHubClient } from "./client.ts";
import { camel, type GitHubType, present, snake, textOf } from "./types.ts";

/** Under the same name, but for its spelling, on GitHub. */
const plainSettings = [
  "allowAutoMerge",
  "allowForking",
  "allowMergeCommit",
  "allowRebaseMerge",
  "allowSquashMerge",
  "allowUpdateBranch",
  "archived",
  "deleteBranchOnMerge",
  "description",
  "hasDiscussions",
  "hasDownloads",
  "hasIssues",
  "hasProjects",
  "hasWiki",
  "isTemplate",
  "mergeCommitMessage",
  "mergeCommitTitle",
  "name",
  "squashMergeCommitMessage",
  "squashMergeCommitTitle",
  "visibility",
  "webCommitSignoffRequired",
];
const onlyHere = [
  "archiveOnDestroy",
  "autoInit",
  "gitignoreTemplate",
  "ignoreVulnerabilityAlertsDuringRead",
  "licenseTemplate",
  "template",
];

/**
 * `Repository`. What is not given is off, also what GitHub itself would switch on (issues, projects, wiki): that is how
 * the real provider reads its schema (terraform-provider-github, resource_github_repository.go).
 */
export const repository: GitHubType = {
  token: "repository:Repository",
  inputs: [
    ...plainSettings,
    ...onlyHere,
    "defaultBranch",
    "homepageUrl",
    "private",
    "securityAndAnalysis",
    "topics",
    "vulnerabilityAlerts",
  ],
  defaults: {
    allowAutoMerge: false,
    allowMergeCommit: true,
    allowRebaseMerge: true,
    allowSquashMerge: true,
    allowUpdateBranch: false,
    archived: false,
    autoInit: false,
    deleteBranchOnMerge: false,
    description: "",
    hasDiscussions: false,
    hasDownloads: false,
    hasIssues: false,
    hasProjects: false,
    hasWiki: false,
    homepageUrl: "",
    isTemplate: false,
    mergeCommitMessage: "PR_TITLE",
    mergeCommitTitle: "MERGE_MESSAGE",
    squashMergeCommitMessage: "COMMIT_MESSAGES",
    squashMergeCommitTitle: "COMMIT_OR_PR_TITLE",
    webCommitSignoffRequired: false,
  },
  kept: [
    "allowForking",
    "defaultBranch",
    "private",
    "securityAndAnalysis",
    "topics",
    "visibility",
    "vulnerabilityAlerts",
  ],
  derived: ["allowForking", "defaultBranch", "private", "securityAndAnalysis"],
  autoNamed: true,
  computed: [
    "defaultBranch",
    "etag",
    "fullName",
    "gitCloneUrl",
    "htmlUrl",
    "httpCloneUrl",
    "nodeId",
    "primaryLanguage",
    "repoId",
    "sshCloneUrl",
    "svnUrl",
  ],
  volatile: ["etag"],
  unread: onlyHere,
  sets: ["topics"],
  problems: (inputs) => [
    ...("private" in inputs && "visibility" in inputs
      ? [{ property: "private", reason: `"private": conflicts with visibility` }]
      : []),
    ...(typeof inputs.name === "string" && !/^[-a-zA-Z0-9_.]{1,100}$/.test(inputs.name)
      ? [
          {
            property: "name",
            reason:
              "must include only alphanumeric characters, underscores or hyphens and consist of 100 characters or less",
          },
        ]
      : []),
  ],
  identify: (id) => (id === "" || id.includes("/") ? undefined : { name: id }),

  async create(api, inputs) {
    const { template } = inputs;
    const name = textOf(inputs, "name");
    if (isMap(template)) {
      const from = [textOf(template, "owner"), textOf(template, "repository")]
        .map(encodeURIComponent)
        .join("/");
      const asked = {
        owner: api.owner,
        name,
        description: inputs.description,
        private: privateOf(inputs),
        include_all_branches: template.includeAllBranches,
      };
      await api.send({ method: "POST", path: `/repos/${from}/generate`, body: present(asked) });
      return name;
    }
    const beginning = present({
      auto_init: inputs.autoInit,
      gitignore_template: inputs.gitignoreTemplate,
      license_template: inputs.licenseTemplate,
    });
    const path = await ownersPath(api);
    const { archived: _, ...body } = settingsBody(inputs);
    await api.send({ method: "POST", path, body: { ...body, ...beginning } });
    return name;
  },
  async complete(api, inputs) {
    if (isMap(inputs.template)) {
      const { archived: _, ...body } = settingsBody(inputs);
      await api.send({ method: "PATCH", path: api.path(textOf(inputs, "name")), body });
    }
    await shared(api, inputs);
    if (inputs.archived === true) {
      await api.send({ method: "PATCH", path: api.path(textOf(inputs, "name")), body: { archived: true } });
    }
  },
  async read(api, state) {
    const path = api.path(textOf(state, "name"));
    const found = await api.find(path);
    if (found === undefined) return undefined;
    const alerts = await api.find(`${path}/vulnerability-alerts`);
    const outputs = {
      ...Object.fromEntries(plainSettings.map((name) => [name, found[snake(name)]])),
      homepageUrl: found.homepage,
      private: found.private,
      topics: found.topics,
      defaultBranch: found.default_branch,
      fullName: found.full_name,
      gitCloneUrl: found.git_url,
      htmlUrl: found.html_url,
      httpCloneUrl: found.clone_url,
      nodeId: found.node_id,
      repoId: found.id,
      sshCloneUrl: found.ssh_url,
      svnUrl: found.svn_url,
      primaryLanguage: found.language ?? "",
      vulnerabilityAlerts: alerts !== undefined,
      securityAndAnalysis: camelKeys(found.security_and_analysis),
      // The real one takes GitHub's header; here it is the time of the last change.
      etag: found.updated_at,
      description: found.description ?? "",
    };
    return asValues({ ...outputs, homepageUrl: found.homepage ?? "" });
  },
  async update(api, inputs, state) {
    const old = textOf(state, "name");
    const wakes = inputs.archived !== true;
    await api.send({ method: "PATCH", path: api.path(old), body: settingsBody(inputs) });
    if (wakes) await shared(api, inputs);
  },
  async delete(api, state) {
    const path = api.path(textOf(state, "name"));
    if (state.archiveOnDestroy !== true) return api.remove(path);
    const found = await api.find(path);
    if (found === undefined || found.archived === true) return;
    await api.send({ method: "PATCH", path, body: { archived: true } });
  },
};

/** What has calls of its own. */
async function shared(api: GitHubClient, inputs: ValueMap): Promise<void> {
  const path = api.path(textOf(inputs, "name"));
  if (inputs.topics !== undefined) {
    await api.send({ method: "PUT", path: `${path}/topics`, body: { names: inputs.topics } });
  }
  if (inputs.vulnerabilityAlerts !== undefined) {
    const method = inputs.vulnerabilityAlerts === true ? "PUT" : "DELETE";
    await api.send({ method, path: `${path}/vulnerability-alerts` });
  }
}

function settingsBody(inputs: ValueMap): Record<string, unknown> {
  const whole: ValueMap = { ...repository.defaults, ...inputs };
  const settings = plainSettings.map((name) => [snake(name), whole[name]] as const);
  return present({
    ...Object.fromEntries(settings),
    homepage: whole.homepageUrl,
    default_branch: whole.defaultBranch,
    private: whole.visibility === undefined ? privateOf(whole) : undefined,
    security_and_analysis: isMap(whole.securityAndAnalysis)
      ? Object.fromEntries(
          Object.entries(whole.securityAndAnalysis).map(([name, value]) => [snake(name), value]),
        )
      : undefined,
  });
}

function privateOf(inputs: ValueMap): boolean | undefined {
  if (typeof inputs.visibility === "string") return inputs.visibility !== "public";
  return typeof inputs.private === "boolean" ? inputs.private : undefined;
}

/** Where the owner's repositories are made: its organization's, or a person's own. */
async function ownersPath(api: GitHubClient): Promise<string> {
  const organization = await api.find(`/orgs/${encodeURIComponent(api.owner)}`);
  return organization === undefined ? "/user/repos" : `/orgs/${encodeURIComponent(api.owner)}/repos`;
}

function camelKeys(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [camel(name), each]));
}

/** JSON as values, without what is not there. */
export function asValues(json: Readonly<Record<string, unknown>>): ValueMap {
  const values = fromJson(present(json));
  return isMap(values) ? values : {};
}
