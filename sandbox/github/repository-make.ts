import type { z } from "zod";
import { type Account, accessIn, reaches } from "./accounts.ts";
import { commitFiles } from "./commits-write.ts";
import { GitHubError } from "./errors.ts";
import { type GitHub, parse } from "./http.ts";
import { createSchema, repositoryName, settingsOf, visibilityOf } from "./repository-input.ts";
import { defaultSettings, fullName, type Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

/**
 * Makes a repository, with its first commit where that is wanted.
 * @param body as `POST /orgs/{org}/repos` takes it
 * @throws GitHubError 403 for who may not, 422 when the name is taken or something is no setting
 */
export async function makeRepository(
  github: GitHub,
  viewer: Viewer,
  owner: Account,
  body: unknown,
): Promise<Repository> {
  requireMaker(viewer, owner);
  const wanted = parse(createSchema, body);
  const made = registerRepository(github, owner.login, wanted);
  await github.git.ensure(made.id, made.defaultBranch);
  if (!wanted.auto_init) return made;
  const about = wanted.description ? `\n${wanted.description}\n` : "";
  await github.git.inTurn(made.id, () =>
    commitFiles(github, made, viewer, {
      branch: made.defaultBranch,
      message: "Initial commit",
      files: [{ path: "README.md", content: Buffer.from(`# ${made.name}\n${about}`) }],
    }),
  );
  return made;
}

/** @throws GitHubError 403 for jobs, and for who is no member that writes */
export function requireMaker(viewer: Viewer, owner: Account): void {
  if (viewer.job !== undefined) throw new GitHubError(403, "Resource not accessible by integration");
  if (reaches(accessIn(owner.login, viewer.account.login), "write")) return;
  throw new GitHubError(403, "You need admin access to the organization before adding a repository to it.");
}

/** Notes a repository, without any content. @throws GitHubError 422 when the name is taken or nothing */
export function registerRepository(
  github: GitHub,
  owner: string,
  body: z.infer<typeof createSchema>,
  template?: Repository,
): Repository {
  const { repositories, cloud } = github;
  const name = repositoryName(body.name);
  if (repositories.byName(owner, name) !== undefined) throw nameTaken();
  for (const field of ["gitignore_template", "license_template"] as const) {
    const wanted = body[field];
    if (wanted === undefined || wanted === "") continue;
    const message = `${wanted} is an unknown template: the sandbox has none.`;
    throw creationFailed({ field, code: "custom", message });
  }
  const settings = settingsOf(body, defaultSettings);
  const now = cloud.clock.now();
  freeName(github, fullName({ owner, name }));
  return repositories.put({
    id: repositories.nextId(),
    owner,
    name,
    formerly: [],
    description: body.description ?? null,
    homepage: body.homepage ?? null,
    visibility: visibilityOf(body) ?? "public",
    settings,
    topics: [],
    defaultBranch: "main",
    securityAndAnalysis: body.security_and_analysis ?? {},
    vulnerabilityAlerts: false,
    ...(template === undefined ? {} : { template: { owner: template.owner, name: template.name } }),
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
    namedAt: now,
  });
}

/** A name that someone takes redirects no more. */
export function freeName({ repositories }: GitHub, name: string): void {
  const wanted = name.toLowerCase();
  for (const each of repositories.list()) {
    if (each.formerly.includes(wanted))
      repositories.put({ ...each, formerly: each.formerly.filter((former) => former !== wanted) });
  }
}

export function nameTaken(): GitHubError {
  return creationFailed({ field: "name", code: "custom", message: "name already exists on this account" });
}

function creationFailed(error: { field: string; code: string; message: string }): GitHubError {
  return new GitHubError(422, "Repository creation failed.", {
    errors: [{ resource: "Repository", ...error }],
  });
}
