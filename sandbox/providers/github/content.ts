import { isRecord } from "../arm-client.ts";
import type { ValueMap } from "../values.ts";
import type { GitHubClient } from "./client.ts";
import { asValues } from "./repository.ts";
import { type GitHubType, idOf, idParts, present, textOf } from "./types.ts";

/** One file on a branch; each change of it is a commit. */
export const repositoryFile: GitHubType = {
  token: "repositoryFile:RepositoryFile",
  inputs: [
    "autocreateBranch",
    "autocreateBranchSourceBranch",
    "autocreateBranchSourceSha",
    "branch",
    "commitAuthor",
    "commitEmail",
    "commitMessage",
    "content",
    "file",
    "overwriteOnCreate",
    "repository",
  ],
  required: ["content", "file", "repository"],
  defaults: { autocreateBranch: false, autocreateBranchSourceBranch: "main", overwriteOnCreate: false },
  kept: ["branch", "commitMessage", "autocreateBranchSourceSha"],
  replaceOn: ["branch", "file", "repository"],
  computed: ["commitSha", "ref", "repositoryId", "sha"],
  volatile: ["commitSha", "sha"],
  unread: [
    "autocreateBranch",
    "autocreateBranchSourceBranch",
    "autocreateBranchSourceSha",
    "overwriteOnCreate",
    "commitAuthor",
    "commitEmail",
  ],
  problems: (inputs) =>
    "commitAuthor" in inputs === "commitEmail" in inputs
      ? []
      : [{ property: "commitAuthor", reason: "commitAuthor and commitEmail must be given together" }],
  identify(id) {
    const [repository, file, branch] = idParts(id);
    if (repository === undefined || file === undefined || file === "") return undefined;
    return { repository, file, ...(branch ? { branch } : {}) };
  },
  async create(api, inputs) {
    await requireBranch(api, inputs);
    const found = await api.find(contents(api, inputs), refOf(inputs));
    if (found !== undefined && inputs.overwriteOnCreate !== true) {
      throw new Error(
        "refusing to overwrite existing file: configure `overwrite_on_create` to `true` to override",
      );
    }
    await write(api, inputs, `Add ${textOf(inputs, "file")}`, found?.sha);
    const branch = textOf(inputs, "branch") || (await defaultBranch(api, inputs));
    return idOf(textOf(inputs, "repository"), textOf(inputs, "file"), branch);
  },
  async read(api, state) {
    const found = await api.find(contents(api, state), refOf(state));
    if (found === undefined || found.type !== "file") return undefined;
    const ref = new URL(String(found.url)).searchParams.get("ref") ?? "";
    const [commit] = await api.list(api.path(textOf(state, "repository"), "commits"), {
      path: textOf(state, "file"),
      sha: ref,
      per_page: "1",
    });
    const { sha, commit: details } = isRecord(commit) ? commit : {};
    return asValues({
      repository: state.repository,
      file: found.path,
      branch: state.branch ?? ref,
      content: Buffer.from(String(found.content), "base64").toString("utf8"),
      sha: found.sha,
      ref,
      commitSha: sha,
      commitMessage: isRecord(details) ? details.message : undefined,
      repositoryId: (await api.find(api.path(textOf(state, "repository"))))?.id,
    });
  },
  async update(api, inputs, state) {
    await requireBranch(api, inputs);
    await write(
      api,
      { branch: state.branch ?? null, ...inputs },
      `Update ${textOf(inputs, "file")}`,
      state.sha,
    );
  },
  async delete(api, state) {
    const found = await api.find(contents(api, state), refOf(state));
    if (found === undefined) return;
    const file = textOf(state, "file");
    await api.remove(contents(api, state), {
      ...commitOf(state),
      message: `Delete ${file}`,
      sha: found.sha,
    });
  },
};

async function write(api: GitHubClient, inputs: ValueMap, message: string, sha: unknown): Promise<void> {
  const content = Buffer.from(textOf(inputs, "content")).toString("base64");
  const body = present({ ...commitOf(inputs), message: inputs.commitMessage ?? message, content, sha });
  await api.send({ method: "PUT", path: contents(api, inputs), body });
}

function commitOf(inputs: ValueMap): Record<string, unknown> {
  const { commitAuthor: name, commitEmail: email } = inputs;
  const person = name === undefined || email === undefined ? undefined : { name, email };
  return present({ branch: inputs.branch, author: person, committer: person });
}

/** Makes the branch where the program allows it. */
async function requireBranch(api: GitHubClient, inputs: ValueMap): Promise<void> {
  const branch = textOf(inputs, "branch");
  const repository = textOf(inputs, "repository");
  if (branch === "" || inputs.autocreateBranch !== true) return;
  if ((await api.find(api.path(repository, "branches", branch))) !== undefined) return;
  const source = textOf(inputs, "autocreateBranchSourceBranch") || "main";
  const sha =
    inputs.autocreateBranchSourceSha ??
    (await api.send({ method: "GET", path: api.path(repository, "git", "ref", "heads", source) })).object;
  await api.send({
    method: "POST",
    path: api.path(repository, "git", "refs"),
    body: { ref: `refs/heads/${branch}`, sha: isRecord(sha) ? sha.sha : sha },
  });
}

function contents(api: GitHubClient, state: ValueMap): string {
  return api.path(textOf(state, "repository"), "contents", ...textOf(state, "file").split("/"));
}

function refOf(state: ValueMap): Record<string, string> {
  const branch = textOf(state, "branch");
  return branch === "" ? {} : { ref: branch };
}

async function defaultBranch(api: GitHubClient, state: ValueMap): Promise<string> {
  const { default_branch } = await api.send({ method: "GET", path: api.path(textOf(state, "repository")) });
  return String(default_branch);
}

/** Which branch is the default one; it has one in any case, so that nothing is deleted. */
export const branchDefault: GitHubType = {
  token: "branchDefault:BranchDefault",
  inputs: ["branch", "etag", "rename", "repository", "waitForRename"],
  required: ["branch", "repository"],
  defaults: { rename: false, waitForRename: false },
  kept: ["etag"],
  derived: ["etag"],
  replaceOn: ["repository"],
  computed: ["etag", "repositoryId"],
  volatile: ["etag"],
  unread: ["rename", "waitForRename"],
  identify: (id) => (id === "" || id.includes("/") ? undefined : { repository: id }),
  async create(api, inputs) {
    await setDefault(api, inputs);
    return textOf(inputs, "repository");
  },
  async read(api, state) {
    const found = await api.find(api.path(textOf(state, "repository")));
    if (found === undefined) return undefined;
    return asValues({
      repository: state.repository,
      branch: found.default_branch,
      etag: found.updated_at,
      repositoryId: found.id,
    });
  },
  update: setDefault,
  async delete() {},
};

async function setDefault(api: GitHubClient, inputs: ValueMap): Promise<void> {
  const repository = textOf(inputs, "repository");
  const branch = textOf(inputs, "branch");
  if (inputs.rename === true) {
    const old = await defaultBranch(api, inputs);
    if (old === branch) return;
    const path = api.path(repository, "branches", old, "rename");
    await api.send({ method: "POST", path, body: { new_name: branch } });
    return;
  }
  await api.send({ method: "PATCH", path: api.path(repository), body: { default_branch: branch } });
}
