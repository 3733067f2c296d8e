import { z } from "zod";
import type { Service } from "../core/service.ts";
import { findAccount } from "./accounts.ts";
import { unprocessable } from "./errors.ts";
import { type GitHub, parse } from "./http.ts";
import { fullName, type Repository } from "./state.ts";

/** How a repository's OIDC subjects are made up. */
export interface SubjectTemplate {
  readonly useDefault: boolean;
  readonly claimKeys?: readonly string[];
  /** Whether it opted for subjects with ids; what its age says otherwise. */
  readonly immutable?: boolean;
}

/** Where a job runs: what the subject says behind the repository. */
export interface JobContext {
  readonly environment?: string | undefined;
  readonly event: string;
  /** `refs/heads/main` */
  readonly ref: string;
}

type Route = { Params: { owner: string; repo: string } };
const kind = "github-oidc-subjects";
const path = "/repos/:owner/:repo/actions/oidc/customization/sub";

/**
 * Repositories made, renamed or transferred since then send subjects with ids, `repo:owner@ID/repo@ID:…`. By the
 * sandbox's clock.
 */
export const immutableSince = Date.parse("2026-07-15T00:00:00Z");

export function oidcSubjectRoutes(api: Service, { cloud }: GitHub): void {
  const templates = cloud.store.collection<SubjectTemplate>(kind);
  const key = (repository: Repository) => `${repository.id}/`;
  const docs = "actions/oidc";

  api.get<Route>(
    path,
    {
      config: {
        docs: `${docs}#get-the-customization-template-for-an-oidc-subject-claim-for-a-repository`,
      },
    },
    async ({ repository }) => {
      const template = templates.get(key(repository)) ?? { useDefault: true };
      return {
        use_default: template.useDefault,
        ...(template.claimKeys === undefined ? {} : { include_claim_keys: template.claimKeys }),
        use_immutable_subject: isImmutable(repository, template),
        sub_claim_prefix: subjectPrefix(repository, template),
      };
    },
  );
  api.put<Route>(
    path,
    {
      config: {
        docs: `${docs}#set-the-customization-template-for-an-oidc-subject-claim-for-a-repository`,
      },
    },
    async ({ repository, body }, reply) => {
      const schema = z.object({
        use_default: z.boolean(),
        include_claim_keys: z.array(z.string()).optional(),
        use_immutable_subject: z.boolean().optional(),
      });
      const wanted = parse(schema, body);
      const keys = wanted.include_claim_keys;
      if (!wanted.use_default && keys !== undefined) checkKeys(keys);
      const immutable = wanted.use_immutable_subject ?? templates.get(key(repository))?.immutable;
      templates.put(key(repository), {
        useDefault: wanted.use_default,
        ...(wanted.use_default || keys === undefined ? {} : { claimKeys: keys }),
        ...(immutable === undefined ? {} : { immutable }),
      });
      return reply.code(201).send({});
    },
  );
}

export function templateOf({ cloud }: GitHub, repository: Repository): SubjectTemplate {
  return cloud.store.collection<SubjectTemplate>(kind).get(`${repository.id}/`) ?? { useDefault: true };
}

function isImmutable(repository: Repository, template: SubjectTemplate): boolean {
  return template.immutable ?? repository.namedAt >= immutableSince;
}

/** `repo:owner/repo`, or with the ids that outlive a name. */
export function subjectPrefix(repository: Repository, template: SubjectTemplate): string {
  if (!isImmutable(repository, template)) return `repo:${fullName(repository)}`;
  const owner = findAccount(repository.owner)?.id;
  return `repo:${repository.owner}@${owner}/${repository.name}@${repository.id}`;
}

/**
 * The subject of a job's token. A template's claims follow one another as `key:value`; `repo` and `context` stand for
 * the two parts of the default. Source: docs.github.com, "OpenID Connect reference".
 */
export function subjectOf(
  repository: Repository,
  template: SubjectTemplate,
  job: JobContext,
  claims: Readonly<Record<string, unknown>>,
): string {
  const prefix = subjectPrefix(repository, template);
  const context = contextOf(job);
  if (template.useDefault || template.claimKeys === undefined) return `${prefix}:${context}`;
  const parts = template.claimKeys.map((key) => {
    if (key === "repo") return prefix;
    if (key === "context") return context;
    return `${key}:${escaped(String(claims[key] ?? ""))}`;
  });
  return parts.join(":");
}

function contextOf(job: JobContext): string {
  if (job.environment !== undefined) return `environment:${escaped(job.environment)}`;
  return job.event === "pull_request" ? "pull_request" : `ref:${job.ref}`;
}

/** A colon in a value would look like the next claim. */
function escaped(value: string): string {
  return value.replaceAll(":", "%3A");
}

function checkKeys(keys: readonly string[]): void {
  if (keys.length === 0 || new Set(keys).size !== keys.length) {
    throw unprocessable("include_claim_keys must be unique strings, at least one.");
  }
  for (const key of keys) {
    if (!/^\w+$/.test(key)) {
      throw unprocessable(`Each claim key can only contain alphanumeric characters and underscores: ${key}`);
    }
  }
}
