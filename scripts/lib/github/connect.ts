import { parseRepository, type RepositoryName } from "../../../components/github/model/names.ts";
import {
  type OneToSix,
  protectionSettings,
  type Reviewer,
} from "../../../components/github/model/protection.ts";
import type { FederatedRepository } from "../../../components/github/model/subjects.ts";
import { KilnError, usageError } from "../errors.ts";
import {
  type AzureClients,
  credentialParts,
  grantPart,
  type IdentityPlace,
  identityParts,
  readIdentity,
} from "./azure-parts.ts";
import { found, type GitHub } from "./client.ts";
import { type NamedStore, secretsStore, stateStore, subscriptionGrants } from "./delegation.ts";
import { protectionGaps, readProtection, strengthened } from "./environments.ts";
import { environmentPart, variablePart } from "./github-parts.ts";
import type { Part } from "./parts.ts";

/** The five variables of an environment: all that a workflow is told. None is a secret. */
export const VARIABLES = [
  "AZURE_CLIENT_ID",
  "AZURE_TENANT_ID",
  "AZURE_SUBSCRIPTION_ID",
  "PULUMI_BACKEND_URL",
  "KILN_SECRETS_PROVIDER",
] as const;

/** Where the state lives and what its secrets are encrypted with. */
export interface StateSettings {
  readonly backend: string;
  readonly secretsProvider: string;
}

/** A repository as GitHub knows it. */
export interface RepositoryFacts extends FederatedRepository {
  readonly defaultBranch: string;
}

/** What is to be connected: one environment of a repository. */
export interface Connection {
  readonly repository: RepositoryFacts;
  /** Its name on GitHub: dev, staging, prod, or pr for all pull requests. */
  readonly environment: string;
  readonly place: IdentityPlace;
  readonly subscriptionId: string;
  readonly state: StateSettings;
  readonly reviewers: readonly Reviewer[];
}

/**
 * Reads where the state is to be.
 * @throws KilnError, exit code 2, for what a job on another machine could not use
 */
export function stateSettings(
  backend: string | undefined,
  secretsProvider: string | undefined,
): StateSettings {
  if (!backend)
    throw usageError(
      "nobody said where the state lives",
      "Neither --backend nor PULUMI_BACKEND_URL is given.",
      "Give one that every run can reach: --backend 'azblob://<container>?storage_account=<account>', s3://…, gs://… or https://….",
    );
  if (!/^(azblob|s3|gs|https):\/\//.test(backend))
    throw usageError(
      `a job cannot reach the state at ${backend}`,
      "What a job writes on its own machine is gone when it ends.",
      "Use azblob://…, s3://…, gs://… or https://….",
    );
  const managed = backend.startsWith("https://");
  const provider = secretsProvider || (managed ? "default" : "");
  if (provider === "")
    throw usageError(
      "nobody said what encrypts the state's secrets",
      "Neither --secrets-provider nor KILN_SECRETS_PROVIDER is given; a passphrase would be a secret to keep.",
      "Give a key: --secrets-provider azurekeyvault://<vault>.vault.azure.net/keys/<key>, awskms://…, gcpkms://….",
    );
  if (provider !== "default" && !/^(azurekeyvault|awskms|gcpkms|hashivault):\/\//.test(provider))
    throw usageError(
      `${provider} is no secrets provider for a pipeline`,
      "Only a key that the identity may use needs no secret.",
      "Use azurekeyvault://…, awskms://…, gcpkms:// or hashivault://….",
    );
  return { backend, secretsProvider: provider };
}

/** Asks GitHub for a repository, whose ids and exact spelling are part of what is trusted. */
export async function readRepository(github: GitHub, text: string): Promise<RepositoryFacts> {
  const name = parseRepository(text);
  if (name === undefined)
    throw usageError(`${JSON.stringify(text)} is no repository`, "One is named <owner>/<name>.");
  const { data } = await github.repos.get({ owner: name.owner, repo: name.name });
  if (data.permissions?.admin !== true)
    throw new KilnError({
      code: "NotAdministrator",
      message: `the one who is signed in does not administer ${data.full_name}`,
      cause: "Environments, their protection and their variables are an administrator's to set.",
      next: "Sign in as an administrator of the repository. Nothing was touched.",
    });
  return {
    owner: data.owner.login,
    name: data.name,
    ownerId: data.owner.id,
    repositoryId: data.id,
    defaultBranch: data.default_branch,
  };
}

/**
 * What would keep a job from signing in although everything is made; undefined when nothing does. A repository may say who its
 * jobs are in a form of its own, which no credential here knows.
 */
export async function subjectNote(
  github: GitHub,
  { owner, name: repo }: RepositoryName,
): Promise<string | undefined> {
  const template = await found(github.actions.getCustomOidcSubClaimForRepo({ owner, repo }));
  if (template?.use_default !== false) return undefined;
  const keys = (template.include_claim_keys ?? []).join(", ");
  return (
    `${owner}/${repo} says who its jobs are in a form of its own (${keys}), which Azure will not know: ` +
    `\`gh api -X PUT repos/${owner}/${repo}/actions/oidc/customization/sub -F use_default=true\` sets it back.`
  );
}

/** Finds people (`login`) and teams (`organization/team`) by name. @throws KilnError `NoReviewer` */
export async function readReviewers(github: GitHub, names: readonly string[]): Promise<Reviewer[]> {
  const reviewers: Reviewer[] = [];
  for (const name of names) {
    const [org = "", team_slug] = name.split("/");
    const reviewer =
      team_slug === undefined
        ? await found(github.users.getByUsername({ username: name })).then(
            (user) => user && { user: user.id },
          )
        : await found(github.teams.getByName({ org, team_slug })).then((team) => team && { team: team.id });
    if (reviewer === undefined)
      throw new KilnError({
        code: "NoReviewer",
        message: `there is no ${team_slug === undefined ? "user" : "team"} ${name} on GitHub`,
        cause: "It does not exist, or the token may not see it (a team needs read:org).",
        next: "Name a user by login, a team as organization/team. Nothing was touched.",
      });
    reviewers.push(reviewer);
  }
  return reviewers;
}

/** The protection that an environment is to have: from the default branch only, and prod with a review. */
function wantedProtection({ repository, reviewers }: Connection) {
  const from = { from: "matching", branches: [repository.defaultBranch] } as const;
  return protectionSettings(
    reviewers.length === 0
      ? { gate: "open", ...from }
      : { gate: "review", reviewers: reviewers as unknown as OneToSix<Reviewer>, ...from },
  );
}

/**
 * Makes sure that production will not stand open.
 * @throws KilnError `Unprotected`, exit code 2, before anything is touched
 */
export async function requireProtection(github: GitHub, connection: Connection): Promise<void> {
  const { repository, environment } = connection;
  const now = await readProtection(github, repository, environment);
  const gaps = protectionGaps(
    environment,
    strengthened(now, wantedProtection(connection)),
    environment === "prod",
  );
  if (gaps.length === 0) return;
  throw usageError(
    `${environment} would not be protected`,
    gaps.join("; "),
    "Name who approves: --reviewer <login or organization/team>, up to six. Nothing was touched.",
  );
}

/** What the connection of one environment is made of, in the order in which it has to be made. */
export async function connectionParts(
  github: GitHub,
  azure: AzureClients,
  connection: Connection,
): Promise<{ parts: Part[]; notes: string[] }> {
  const { repository, environment, place, subscriptionId, state } = connection;
  const stores = await findStores(azure, connection);
  const grants = [...subscriptionGrants(subscriptionId), ...stores.grants];
  const identity = () => readIdentity(azure, place);
  const values: Record<(typeof VARIABLES)[number], () => Promise<string | undefined>> = {
    AZURE_CLIENT_ID: async () => (await identity())?.clientId,
    AZURE_TENANT_ID: async () => (await identity())?.tenantId,
    AZURE_SUBSCRIPTION_ID: async () => subscriptionId,
    PULUMI_BACKEND_URL: async () => state.backend,
    KILN_SECRETS_PROVIDER: async () => state.secretsProvider,
  };
  return {
    parts: [
      // The way in is narrow before there is anything to be had by it.
      environmentPart(github, repository, environment, wantedProtection(connection)),
      ...identityParts(azure, place),
      ...grants.map((grant) => grantPart(azure, place, grant)),
      ...credentialParts(azure, place, repository, { environment }),
      ...VARIABLES.map((name) =>
        variablePart(github, repository, environment, { name, value: values[name] }),
      ),
    ],
    notes: stores.notes,
  };
}

/** Looks up where the state and its key are. What is not in this subscription has to be granted by hand. */
async function findStores(azure: AzureClients, { state, place }: Connection) {
  const wanted = [stateStore(state.backend), secretsStore(state.secretsProvider)].filter(
    (each): each is NamedStore => each !== undefined,
  );
  const grants = [];
  const notes: string[] = [];
  for (const { type, name, grant } of wanted) {
    const filter = `resourceType eq '${type}' and name eq '${name}'`;
    const ids: string[] = [];
    for await (const { id } of azure.resources.resources.list({ filter })) if (id !== undefined) ids.push(id);
    const [id] = ids;
    if (id !== undefined) grants.push(grant(id));
    else
      notes.push(`${name} is not in this subscription. By hand, grant ${place.identity} ${grant("").what}.`);
  }
  return { grants, notes };
}

/** `owner/name`, for messages. */
export function fullName({ owner, name }: RepositoryName): string {
  return `${owner}/${name}`;
}
