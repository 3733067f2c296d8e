import { z } from "zod";
import { invalid } from "./errors.ts";
import type { RepositorySettings, Visibility } from "./state.ts";

const flag = z.boolean().optional();
const settingShapes = {
  has_issues: flag,
  has_projects: flag,
  has_wiki: flag,
  has_downloads: flag,
  has_discussions: flag,
  is_template: flag,
  allow_squash_merge: flag,
  allow_merge_commit: flag,
  allow_rebase_merge: flag,
  allow_auto_merge: flag,
  allow_update_branch: flag,
  allow_forking: flag,
  delete_branch_on_merge: flag,
  squash_merge_commit_title: z.enum(["PR_TITLE", "COMMIT_OR_PR_TITLE"]).optional(),
  squash_merge_commit_message: z.enum(["PR_BODY", "COMMIT_MESSAGES", "BLANK"]).optional(),
  merge_commit_title: z.enum(["PR_TITLE", "MERGE_MESSAGE"]).optional(),
  merge_commit_message: z.enum(["PR_BODY", "PR_TITLE", "BLANK"]).optional(),
  web_commit_signoff_required: flag,
  archived: flag,
} as const satisfies Record<keyof RepositorySettings, z.ZodType>;

const common = {
  ...settingShapes,
  description: z.string().nullish(),
  homepage: z.string().nullish(),
  private: flag,
  visibility: z.enum(["public", "private", "internal"]).optional(),
  security_and_analysis: z
    .record(z.string(), z.object({ status: z.enum(["enabled", "disabled"]) }))
    .nullish()
    .transform((given) => given ?? undefined),
};

export const createSchema = z.object({
  ...common,
  name: z.string(),
  auto_init: flag,
  gitignore_template: z.string().optional(),
  license_template: z.string().optional(),
});

export const changeSchema = z.object({
  ...common,
  name: z.string().optional(),
  default_branch: z.string().optional(),
});

/** The settings after a change. @throws GitHubError 422 when no way of merging is left */
export function settingsOf(
  body: Partial<Record<keyof RepositorySettings, unknown>>,
  before: RepositorySettings,
): RepositorySettings {
  const given = Object.keys(settingShapes).flatMap((name) => {
    const value = body[name as keyof RepositorySettings];
    return value === undefined ? [] : [[name, value]];
  });
  const settings = { ...before, ...Object.fromEntries(given) } as RepositorySettings;
  if (!settings.allow_merge_commit && !settings.allow_squash_merge && !settings.allow_rebase_merge) {
    throw invalid({
      resource: "Repository",
      field: "merge_commit_allowed",
      code: "custom",
      message: "Sorry, you need to allow at least one merge strategy. (no_merge_method)",
    });
  }
  return settings;
}

export function visibilityOf(body: {
  visibility?: Visibility | undefined;
  private?: boolean | undefined;
}): Visibility | undefined {
  if (body.visibility !== undefined) return body.visibility;
  return body.private === undefined ? undefined : body.private ? "private" : "public";
}

/**
 * The name as GitHub keeps it: what it does not take becomes a hyphen.
 * @throws GitHubError 422 when nothing is left, or more than 100 characters
 */
export function repositoryName(wanted: string): string {
  const name = wanted
    .trim()
    .replace(/[^\w.-]+/g, "-")
    .replace(/\.git$/i, "");
  if (name === "") throw invalid({ resource: "Repository", field: "name", code: "missing_field" });
  if (name.length > 100) {
    const message = "name is too long (maximum is 100 characters)";
    throw invalid({ resource: "Repository", field: "name", code: "custom", message });
  }
  if (/^\.+$/.test(name) || /\.wiki$/i.test(name)) {
    const message = "name is reserved";
    throw invalid({ resource: "Repository", field: "name", code: "custom", message });
  }
  return name;
}
