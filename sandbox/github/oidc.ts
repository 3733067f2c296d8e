import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { exportJWK, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { createService, pathOf, type Service } from "../core/service.ts";
import { findAccount, loginOf } from "./accounts.ts";
import { mayDeploy } from "./branch-policies.ts";
import { commitOf } from "./commits-write.ts";
import { springIntoBeing } from "./environments.ts";
import type { GitHub } from "./http.ts";
import { subjectOf, templateOf } from "./oidc-subject.ts";
import { fullName, type Repository } from "./state.ts";

export const oidcIssuer = "https://token.actions.githubusercontent.com";

/** Five minutes, as GitHub's. Wall clock, like every token's. */
const lifetimeSeconds = 300;

const keysKind = "github-oidc-keys";
/** The issuer's key lives as long as the sandbox, through every reset. */
export const keptOidcKeys = keysKind;

interface SigningKey {
  readonly kid: string;
  readonly pem: string;
}

/** Made when a token is first asked for: an RSA key takes its time. */
function signingKey(cloud: Cloud): { kid: string; key: KeyObject } {
  const keys = cloud.store.collection<SigningKey>(keysKind);
  let saved = keys.get("signing");
  if (saved === undefined) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    saved = { kid: randomUUID(), pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    keys.put("signing", saved);
  }
  return { kid: saved.kid, key: createPrivateKey(saved.pem) };
}

/** `token.actions.githubusercontent.com`: what verifiers of a job's ID token fetch. */
export function createOidcIssuer(cloud: Cloud): Service {
  const issuer = createService(cloud, {
    notFound: (request) =>
      new CloudError(404, "NotFound", `The sandbox's issuer has nothing at '${pathOf(request)}'.`),
    identify: () => ({}),
  });
  issuer.get("/.well-known/openid-configuration", async () => ({
    issuer: oidcIssuer,
    jwks_uri: `${oidcIssuer}/.well-known/jwks`,
    subject_types_supported: ["public", "pairwise"],
    response_types_supported: ["id_token"],
    claims_supported: claimNames,
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid"],
  }));
  issuer.get("/.well-known/jwks", async () => {
    const { kid, key } = signingKey(cloud);
    return { keys: [{ ...(await exportJWK(createPublicKey(key))), kid, use: "sig", alg: "RS256" }] };
  });
  return issuer;
}

/** Of which job an ID token is wanted. */
export const idTokenSchema = z.strictObject({
  /** `owner/name` */
  repository: z.string().regex(/^[^/]+\/[^/]+$/, "must be owner/name"),
  environment: z.string().min(1).optional(),
  /** @default the default branch */
  ref: z
    .string()
    .regex(/^refs\//, "must begin with refs/")
    .optional(),
  event: z.string().min(1).default("workflow_dispatch"),
  /** File name below `.github/workflows`. */
  workflow: z.string().min(1).default("deploy.yml"),
  /** @default the owner's page, as GitHub's is */
  audience: z.string().min(1).optional(),
});

/**
 * The ID token that a job with `id-token: write` would get. The sandbox runs no jobs: whoever tests stands for one.
 * @throws CloudError 404 when there is no such repository
 */
export async function issueIdToken(
  github: GitHub,
  wanted: z.infer<typeof idTokenSchema>,
): Promise<{ token: string; subject: string; expiresOn: string }> {
  const { cloud, repositories, git } = github;
  const [owner = "", name = ""] = wanted.repository.split("/");
  const repository = repositories.byName(owner, name);
  if (repository === undefined) {
    throw new CloudError(
      404,
      "RepositoryNotFound",
      `The sandbox's GitHub has no repository '${wanted.repository}'.`,
    );
  }
  const ref = wanted.ref ?? `refs/heads/${repository.defaultBranch}`;
  const environment = wanted.environment && environmentOf(github, repository, wanted.environment, ref);
  await git.ensure(repository.id, repository.defaultBranch);
  const sha = (await commitOf(git, repository.id, ref)) ?? "0".repeat(40);
  const runId = repositories.nextId();
  const actor = findAccount(loginOf("owner"));
  const workflow = `${fullName(repository)}/.github/workflows/${wanted.workflow}@${ref}`;
  const claims = {
    ref,
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: "false",
    sha,
    repository: fullName(repository),
    repository_id: String(repository.id),
    repository_owner: repository.owner,
    repository_owner_id: String(findAccount(repository.owner)?.id),
    repository_visibility: repository.visibility,
    run_id: String(runId),
    run_number: "1",
    run_attempt: "1",
    actor: actor?.login,
    actor_id: String(actor?.id),
    workflow: wanted.workflow.replace(/\.ya?ml$/, ""),
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    head_ref: "",
    base_ref: "",
    event_name: wanted.event,
    runner_environment: "github-hosted",
    ...(environment === undefined ? {} : { environment }),
  };
  const job = { environment, event: wanted.event, ref };
  const subject = subjectOf(repository, templateOf(github, repository), job, claims);
  const { kid, key } = signingKey(cloud);
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
    .setIssuer(oidcIssuer)
    .setSubject(subject)
    .setAudience(wanted.audience ?? `https://github.com/${repository.owner}`)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setNotBefore(now - 5)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(key);
  cloud.mint.rememberToken(token, `a job of ${fullName(repository)}`);
  return { token, subject, expiresOn: new Date((now + lifetimeSeconds) * 1000).toISOString() };
}

/**
 * The environment of a job, if what the job runs on may deploy there. That its reviewers agreed is taken as given.
 * @throws CloudError 403 when the environment's branch policy leaves the ref out
 */
function environmentOf(github: GitHub, repository: Repository, name: string, ref: string): string {
  const environment = springIntoBeing(github, repository, name);
  if (mayDeploy(github, repository, environment, ref)) return environment.name;
  const [, kind = "Ref", short = ref] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  const what = kind === "heads" ? "Branch" : kind === "tags" ? "Tag" : kind;
  throw new CloudError(
    403,
    "DeploymentNotAllowed",
    `${what} "${short}" is not allowed to deploy to ${environment.name} due to environment protection rules.`,
  );
}

/** For those who trust tokens of the sandbox's GitHub. */
export function gitHubIssuer(cloud: Cloud): { issuer: string; isSigned(token: string): Promise<boolean> } {
  return {
    issuer: oidcIssuer,
    isSigned: async (token) => {
      try {
        const { key } = signingKey(cloud);
        const options = { issuer: oidcIssuer, algorithms: ["RS256"], clockTolerance: 10 ** 9 };
        await jwtVerify(token, createPublicKey(key), options);
        return true;
      } catch {
        return false;
      }
    },
  };
}

const claimNames = [
  "sub",
  "aud",
  "exp",
  "iat",
  "iss",
  "jti",
  "nbf",
  "ref",
  "ref_type",
  "ref_protected",
  "sha",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "run_id",
  "run_number",
  "run_attempt",
  "actor",
  "actor_id",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "job_workflow_ref",
  "job_workflow_sha",
  "head_ref",
  "base_ref",
  "event_name",
  "runner_environment",
  "environment",
];
