import pc from "picocolors";
import { hasClusterResources } from "../lib/cluster/objects.ts";
import { lookIntoCluster } from "../lib/cluster/survey.ts";
import { knownEnvironments } from "../lib/environments.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { duration, table } from "../lib/output.ts";
import { describeEnvironment, type EnvironmentOverview } from "../lib/overview.ts";
import {
  environmentIn,
  type OpenCloud,
  openCloud,
  reachCluster,
  sessionStack,
  type VerbContext,
} from "../lib/session.ts";
import type { CloudName } from "../lib/target.ts";
import { resourcesOfGroup, usesAzure } from "../lib/teardown.ts";

/** `kiln list`: every environment that is on record, with its age, region, drift and what costs something. */
export async function list(context: VerbContext, options: { cloud: CloudName }): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  const open = await openCloud(context, options.cloud);
  const names = await knownEnvironments(context, open);
  const environments = await Promise.all(names.map((name) => overview(context, open, name)));
  out.document({
    verb: "list",
    cloud: options.cloud,
    result: "succeeded",
    environments,
    durationMs: Date.now() - began,
  });
  out.say(environments.length === 0 ? `No environment is on record (${options.cloud}).` : text(environments));
  return exitCodes.done;
}

/** One environment: its record, and what the cloud lists of it. */
async function overview(context: VerbContext, open: OpenCloud, name: string): Promise<EnvironmentOverview> {
  const known = environmentIn(context, open, name);
  const state = await sessionStack(context, known).glance();
  const session = hasClusterResources(state) ? await reachCluster(context, known) : known;
  const [group, cluster] = await Promise.all([
    usesAzure(session, state) ? resourcesOfGroup(session) : [],
    lookIntoCluster(session, state),
  ]);
  return describeEnvironment(name, state, group, open.target.now(), cluster);
}

function text(environments: readonly EnvironmentOverview[]): string {
  const head = ["environment", "state", "region", "age", "expires", "drift", "costs by"].map((each) =>
    pc.dim(each),
  );
  const rows = environments.map(({ env, result, region, ageMs, expiresOn, expired, drift, costs }) => [
    env,
    result,
    region ?? "–",
    ageMs === undefined ? "–" : duration(ageMs),
    expired ? "expired" : (expiresOn?.slice(0, 16).replace("T", " ") ?? "–"),
    driftText(drift),
    costs.map(({ type, size }) => `${type} ${size}`).join(", "),
  ]);
  return table([head, ...rows]);
}

function driftText({ missing, unknown }: EnvironmentOverview["drift"]): string {
  const parts = [
    ...(missing.length > 0 ? [`${missing.length} missing`] : []),
    ...(unknown.length > 0 ? [`${unknown.length} unknown`] : []),
  ];
  return parts.length === 0 ? "none" : parts.join(", ");
}
