import pc from "picocolors";
import { loadConfig } from "../../../stacks/config.ts";
import { canAsk, confirmed } from "../../lib/confirm.ts";
import { type ExitCode, exitCodes, usageError } from "../../lib/errors.ts";
import type { AzureClients, IdentityPlace } from "../../lib/github/azure-parts.ts";
import { type GitHub, githubTrouble, realGitHub, sandboxGitHub } from "../../lib/github/client.ts";
import {
  type Connection,
  connectionParts,
  fullName,
  type RepositoryFacts,
  readRepository,
  readReviewers,
  requireProtection,
  type StateSettings,
  stateSettings,
  subjectNote,
  VARIABLES,
} from "../../lib/github/connect.ts";
import { type PartResult, settleParts } from "../../lib/github/parts.ts";
import { duration } from "../../lib/output.ts";
import { kilnPaths, makeHome } from "../../lib/paths.ts";
import type { VerbContext } from "../../lib/session.ts";
import { type CloudName, type CloudTarget, openTarget } from "../../lib/target.ts";

export interface ConnectOptions {
  /** `owner/name` */
  readonly repository: string;
  readonly environments: readonly string[];
  readonly reviewers: readonly string[];
  readonly backend: string | undefined;
  readonly secretsProvider: string | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly cloud: CloudName;
}

/** What can be connected: an environment of GitHub each, with an identity each. All pull requests share one. */
const connectable = ["dev", "staging", "prod", "pr"];

/**
 * `kiln github connect <owner/repo> --env <env…>`: lets the repository's workflows work on environments, without a secret. It
 * makes what is not there yet and leaves what is; running it again changes nothing.
 */
export async function connect(context: VerbContext, options: ConnectOptions): Promise<ExitCode> {
  const began = Date.now();
  const { out, env, signal } = context;
  const { dryRun, cloud } = options;
  const paths = kilnPaths(env);
  const environments = [...new Set(options.environments)];
  requireUsable(context, options, environments);
  const state = stateSettings(
    options.backend ?? env.PULUMI_BACKEND_URL,
    options.secretsProvider ?? env.KILN_SECRETS_PROVIDER,
  );
  const places = new Map(environments.map((each) => [each, identityPlace(paths.project, each, env)]));
  makeHome(paths);
  const signedIn = cloud === "azure" ? realGitHub(env) : undefined;
  const target = await openTarget(cloud, paths, env, signal);
  const github = signedIn ?? (await sandboxGitHub(paths, target.clientOptions, env));
  try {
    const repository = await readRepository(github, options.repository);
    const connections = await plan({ ...options, environments }, github, repository, places, target, state);
    for (const connection of connections) await requireProtection(github, connection);
    const azure = await azureClients(target);
    const settle = (only: { dryRun: boolean }) => settleAll(context, github, azure, connections, only);
    if (cloud === "azure" && !options.yes && !dryRun) {
      const foreseen = await settle({ dryRun: true });
      const where = `${fullName(repository)} and subscription ${target.subscriptionId}`;
      if (foreseen.changes > 0 && !(await confirmed(`Make these ${foreseen.changes} changes in ${where}?`))) {
        out.say("Nothing was changed.");
        return exitCodes.done;
      }
    }
    const { results, changes, notes } = await settle({ dryRun });
    const subject = await subjectNote(github, repository);
    if (subject !== undefined) notes.unshift(subject);
    for (const note of notes) out.warn(note);
    out.document({
      verb: "github connect",
      cloud,
      result: dryRun ? "foreseen" : "succeeded",
      repository: {
        fullName: fullName(repository),
        id: repository.repositoryId,
        ownerId: repository.ownerId,
      },
      environments: results,
      variables: VARIABLES,
      changes,
      notes,
      durationMs: Date.now() - began,
    });
    const what = changes === 0 ? "nothing to do" : `${changes} ${dryRun ? "would change" : "changed"}`;
    out.say(`\n${pc.green("✓")} ${what} (${duration(Date.now() - began)})`);
    return exitCodes.done;
  } catch (error) {
    throw githubTrouble(error, options.repository);
  }
}

/** @throws KilnError, exit code 2, for what cannot be done, before anybody is asked for anything */
function requireUsable(
  { out }: VerbContext,
  { cloud, dryRun, yes, reviewers }: ConnectOptions,
  environments: readonly string[],
): void {
  for (const each of environments)
    if (!connectable.includes(each))
      throw usageError(
        `${each} cannot be connected`,
        `An environment on GitHub is one of ${connectable.join(", ")}.`,
      );
  if (reviewers.length > 6)
    throw usageError("there are too many reviewers", "GitHub takes up to six; a team counts as one.");
  if (cloud === "azure" && !dryRun && !yes && !canAsk(out))
    throw usageError(
      "nobody can be asked whether to connect",
      "There is no terminal, or --json is given.",
      "Add --yes, or --dry-run to see what it would change.",
    );
}

/** Makes, or only foresees, every connection. */
async function settleAll(
  { out, signal }: VerbContext,
  github: GitHub,
  azure: AzureClients,
  connections: readonly Connection[],
  { dryRun }: { dryRun: boolean },
): Promise<{ results: Record<string, PartResult[]>; changes: number; notes: string[] }> {
  const results: Record<string, PartResult[]> = {};
  const notes: string[] = [];
  for (const connection of connections) {
    const { environment, repository } = connection;
    out.say(`\n${pc.bold(`${fullName(repository)}, ${environment}`)}`);
    const made = await connectionParts(github, azure, connection);
    const onPart = (part: PartResult) => out.say(`  ${partText(part, dryRun)}`);
    results[environment] = await settleParts(made.parts, { dryRun, signal, onPart });
    notes.push(...made.notes);
  }
  if ("prod" in results && connections.length > 1)
    notes.push(
      "prod shares its subscription with the others, whose identities may change everything in it; give prod a subscription of its own (run this once for each).",
    );
  const changes = Object.values(results)
    .flat()
    .filter((part) => part.state !== "same").length;
  return { results, changes, notes: [...new Set(notes)] };
}

async function plan(
  options: Pick<ConnectOptions, "environments" | "reviewers">,
  github: GitHub,
  repository: RepositoryFacts,
  places: ReadonlyMap<string, IdentityPlace>,
  { subscriptionId }: CloudTarget,
  state: StateSettings,
): Promise<Connection[]> {
  const reviewers = await readReviewers(github, options.reviewers);
  return [...places].map(([environment, place]) => ({
    repository,
    environment,
    place,
    subscriptionId,
    state,
    // Reviewers stand before production only: the others are there to be tried.
    reviewers: environment === "prod" ? reviewers : [],
  }));
}

/** Where an environment's pipeline has its identity. Its tags are not the environment's, whose teardown takes what has them. */
function identityPlace(project: string, environment: string, env: NodeJS.ProcessEnv): IdentityPlace {
  const { workload, location, repo, owner, costCenter } = loadConfig(
    project,
    environment === "pr" ? "pr-1" : environment,
    env,
  );
  const base = `${workload}-${environment}-pipeline`;
  return {
    resourceGroup: `rg-${base}`,
    identity: `id-${base}`,
    location,
    tags: { env: environment, service: "pipeline", repo, owner, costCenter },
  };
}

async function azureClients({
  credential,
  subscriptionId,
  clientOptions,
}: CloudTarget): Promise<AzureClients> {
  const [msi, authorization, resources] = await Promise.all([
    import("@azure/arm-msi"),
    import("@azure/arm-authorization"),
    import("@azure/arm-resources"),
  ]);
  return {
    identities: new msi.ManagedServiceIdentityClient(credential, subscriptionId, clientOptions),
    authorization: new authorization.AuthorizationManagementClient(credential, subscriptionId, clientOptions),
    resources: new resources.ResourceManagementClient(credential, subscriptionId, clientOptions),
  };
}

function partText({ what, state }: PartResult, dryRun: boolean): string {
  if (state === "same") return pc.dim(`= ${what}`);
  if (dryRun) return `${pc.yellow(state === "create" ? "+" : "~")} ${what}: ${state}`;
  return `${pc.green("✓")} ${what}: ${state === "create" ? "created" : "updated"}`;
}
