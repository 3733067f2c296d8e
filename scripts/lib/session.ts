import { mkdirSync } from "node:fs";
import path from "node:path";
import {
  type ControlPlane,
  type Engine,
  type EngineProgress,
  provideControlPlane,
  provideEngine,
} from "../../engine/index.ts";
import { type LockOwner, withLock } from "../../engine/lock.ts";
import {
  type EnvironmentResources,
  type KilnConfig,
  loadConfig,
  resolveEnvironment,
  STEERING_VARIABLES,
} from "../../stacks/config.ts";
import { type CloudClients, cloudClients } from "./clients.ts";
import { hasClusterResources } from "./cluster/objects.ts";
import { type ExitCode, exitCodes, KilnError } from "./errors.ts";
import { duration, type Output } from "./output.ts";
import { type KilnPaths, kilnPaths, makeHome } from "./paths.ts";
import type { Ownership } from "./soft-deleted.ts";
import { StackHandle, type StackOptions } from "./stack.ts";
import { type CloudName, type CloudTarget, openTarget } from "./target.ts";

/** What every verb gets. */
export interface VerbContext {
  readonly env: NodeJS.ProcessEnv;
  readonly out: Output;
  readonly stdout: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** How long a lock of the living is waited for, in milliseconds. @default 0 */
  readonly lockWaitMs?: number;
}

/** Runs one verb with what it needs. */
export type Run = (verb: (context: VerbContext) => Promise<ExitCode>) => Promise<void>;

/** A cloud and an engine, ready to be worked with. */
export interface OpenCloud {
  readonly paths: KilnPaths;
  readonly engine: Engine;
  readonly target: CloudTarget;
}

/** An environment in a cloud, ready to be worked on. */
export interface Session extends OpenCloud {
  readonly config: KilnConfig;
  /** The location that whoever runs Kiln chose among the configured ones. */
  readonly wantedLocation: string | undefined;
  readonly resolved: EnvironmentResources;
  readonly owner: Ownership;
  readonly clients: CloudClients;
}

/** What of a cloud a verb does without. */
export interface Needs {
  /** Whether it works on the cluster: false leaves that as it is, not even provided, started or asked. @default true */
  readonly cluster?: boolean;
}

/** Checks the configuration first, then provides the engine and makes contact with the cloud, both at once. */
export async function openSession(
  context: VerbContext,
  environment: string,
  cloud: CloudName,
  needs: Needs = {},
): Promise<Session> {
  const config = loadConfig(kilnPaths(context.env).project, environment, context.env);
  const session = inCloud(context, await openCloud(context, cloud, config, needs), config);
  return needs.cluster === false ? session : reachCluster(context, session);
}

/**
 * Provides the engine and makes contact with the cloud, both at once.
 * @param config of the environment, where it is one that everything is about: then the cluster's parts are provided beside the
 *   rest, and nobody need be signed in to a cloud of which nothing is needed
 */
export async function openCloud(
  context: VerbContext,
  cloud: CloudName,
  config?: KilnConfig,
  { cluster = true }: Needs = {},
): Promise<OpenCloud> {
  const paths = kilnPaths(context.env);
  makeHome(paths);
  // Making an engine takes minutes, which nobody waits for when the cloud cannot be reached.
  const giveUp = new AbortController();
  const signal = AbortSignal.any([context.signal, giveUp.signal]);
  const azure = config === undefined || config.foundry.enabled || !config.serving.enabled;
  const builtHere = cluster && cloud === "sandbox" && config?.serving.enabled === true;
  const [engine, target] = await Promise.all([
    provideEngine({ env: context.env, onProgress: engineReporter(context.out), signal }),
    openTarget(cloud, paths, context.env, signal, { azure }),
    ...(builtHere ? [controlPlaneFor(context, signal)] : []),
  ]).catch((error: unknown) => {
    giveUp.abort();
    throw error;
  });
  return { paths, engine, target };
}

/** What makes contact with a cluster takes a moment, and a verb asks for it once for each environment. */
export async function reachCluster(context: VerbContext, session: Session): Promise<Session> {
  const { config, paths, target } = session;
  if (target.cluster !== undefined) return session;
  const { ownCluster, sandboxCluster } = await import("./cluster/reach.ts");
  if (target.name === "azure")
    return withTarget(session, await ownCluster(target, config, context.env, context.signal));
  // What was built while serving was switched on is there until the next `up`, or `down`.
  const there = config.serving.enabled || hasClusterResources(await sessionStack(context, session).glance());
  if (!there) return session;
  const reached = await sandboxCluster(target, paths, await controlPlaneFor(context), context.signal);
  return withTarget(session, reached);
}

function withTarget(session: Session, target: CloudTarget): Session {
  return target === session.target ? session : { ...session, target, clients: cloudClients(target) };
}

/**
 * Provides what the sandbox's Kubernetes runs on, with progress for people: for environments that need it only, since making it takes
 * minutes.
 * @param signal ends it, in place of the context's own
 * @throws EngineError
 */
export function controlPlaneFor(
  context: VerbContext,
  signal: AbortSignal = context.signal,
): Promise<ControlPlane> {
  return provideControlPlane({ env: context.env, onProgress: engineReporter(context.out), signal });
}

/** An environment of a cloud that is open. @throws ConfigError */
export function environmentIn(context: VerbContext, open: OpenCloud, environment: string): Session {
  return inCloud(context, open, loadConfig(open.paths.project, environment, context.env));
}

function inCloud(context: VerbContext, open: OpenCloud, config: KilnConfig): Session {
  const { target } = open;
  const resolved = resolveEnvironment(config, target.subscriptionId);
  const { env, repo, service } = resolved.tags;
  return {
    ...open,
    config,
    wantedLocation: context.env[STEERING_VARIABLES.location] || undefined,
    resolved,
    clients: cloudClients(target),
    owner: {
      accountName: resolved.names.openaiAccount,
      vaultName: resolved.names.vault,
      tags: { env, repo, service },
    },
  };
}

/** The environment's stack, its record not yet read. */
export function sessionStack(
  context: VerbContext,
  session: Session,
  program?: StackOptions["program"],
): StackHandle {
  const { paths, engine, target } = session;
  return new StackHandle({
    environment: session.resolved.environment,
    paths,
    engine,
    target,
    env: context.env,
    ...(program === undefined ? {} : { program }),
  });
}

/** The environment's stack with what is on record; undefined when there is none. */
export async function openSessionStack(
  context: VerbContext,
  session: Session,
): Promise<StackHandle | undefined> {
  const handle = sessionStack(context, session);
  return (await handle.read()) ? handle : undefined;
}

/**
 * Runs work on an environment, one run at a time on this machine. (Runs on other machines are held apart by the lock of
 * the state's backend.)
 * @throws KilnError `Locked`, exit code 4, while another run works on it, and for as long as it is to be waited for
 */
export async function exclusively<T>(
  context: VerbContext,
  session: Session,
  verb: string,
  work: () => Promise<T>,
): Promise<T> {
  const environment = session.resolved.environment;
  const { lockWaitMs = 0 } = context;
  const folder = path.join(session.paths.run, "locks");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const late = lockWaitMs === 0 ? undefined : AbortSignal.timeout(lockWaitMs);
  let waitedFor: LockOwner | undefined;
  let has = false;
  try {
    return await withLock(
      path.join(folder, `${session.target.name}-${session.target.subscriptionId}-${environment}.lock`),
      {
        signal: AbortSignal.any([context.signal, ...(late === undefined ? [] : [late])]),
        work: `kiln ${verb} ${environment}`,
        onWait: (owner) => {
          const trouble = locked(environment, owner);
          if (late === undefined) throw trouble;
          waitedFor = owner;
          context.out.warn(`${trouble.cause} Waiting for it.`);
        },
        onTakeover: (owner) => {
          context.out.warn(
            `An earlier run (${owner.work ?? "kiln"}, process ${owner.pid}, since ${owner.since}) ended without letting go of the environment; taking over.`,
          );
        },
      },
      () => {
        has = true;
        return work();
      },
    );
  } catch (error) {
    if (!has && late?.aborted === true && !context.signal.aborted) throw locked(environment, waitedFor);
    throw error;
  }
}

function locked(environment: string, owner: LockOwner | undefined): KilnError {
  const who =
    owner === undefined
      ? "Another run works on it."
      : `\`${owner.work ?? "kiln"}\` works on it since ${owner.since} (process ${owner.pid} on ${owner.host}).`;
  return new KilnError(
    {
      code: "Locked",
      message: `environment ${environment} is locked`,
      cause: who,
      next: "Wait until it is done (`up` and `down` do with --wait), then run it again.",
    },
    exitCodes.locked,
  );
}

/** Tells people which part of the engine is being made, and for how long already. */
export function engineReporter(out: Output): (event: EngineProgress) => void {
  let said = 0;
  return ({ title, phase, elapsedMs, detail }) => {
    const now = Date.now();
    if (phase === "running" && now - said < 10_000) return;
    said = now;
    const more = detail === undefined ? "" : `, ${detail}`;
    if (phase === "started") out.say(`engine: ${title} …`);
    else if (phase === "running") out.say(`engine: ${title} … ${duration(elapsedMs)}${more}`);
    else out.say(`engine: ${title}: ${phase} (${duration(elapsedMs)}${more})`);
  };
}
