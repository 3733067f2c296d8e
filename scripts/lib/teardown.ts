import { clusterLabels, hasClusterResources, refOf } from "./cluster/objects.ts";
import { refuseOtherCluster } from "./cluster/other-cluster.ts";
import { whyItStays } from "./cluster/readiness.ts";
import { exitCodes, KilnError } from "./errors.ts";
import { heal } from "./heal.ts";
import { deleteLogs } from "./logs.ts";
import { OperationRecord, operate } from "./operation.ts";
import { Progress } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import { findSoftDeleted, planSoftDeleted, protectedVault, purge, type SoftDeleted } from "./soft-deleted.ts";
import type { StackHandle } from "./stack.ts";
import { armIds, emptyState, type State } from "./state.ts";
import { removalsToCome } from "./upcoming.ts";

/** Something that is still there after a teardown, and why. */
export interface Remaining {
  readonly what: string;
  readonly name: string;
  readonly why: string;
  /** When the cloud removes it by itself. */
  readonly until?: string;
}

/** What a teardown did and what it left. */
export interface Receipt {
  readonly record: OperationRecord;
  readonly purged: readonly SoftDeleted[];
  readonly remaining: readonly Remaining[];
}

/** Azure makes these on its own beside Application Insights; they go with their group. */
export const cloudMade = /^microsoft\.(insights\/actiongroups|alertsmanagement\/smartdetectoralertrules)$/i;

/** Deletes what is on record, purges what would block the next `up`, forgets the stack, and looks what is left. */
export async function tearDown(
  context: VerbContext,
  session: Session,
  handle: StackHandle | undefined,
): Promise<Receipt> {
  const record = new OperationRecord();
  const before = handle?.state ?? emptyState;
  if (handle !== undefined) {
    await removeAll(context, session, handle, record, { forget: true });
    // The next one is free to be built where there is room then.
    handle.pin(undefined);
  }
  const remaining: Remaining[] = [];
  const purged: SoftDeleted[] = [];
  if (usesAzure(session, before)) {
    const own = await purgeOwn(context, session);
    purged.push(...own.purged);
    remaining.push(...own.remaining, ...(await liveRemains(session)));
  }
  if (session.config.serving.enabled || hasClusterResources(before))
    remaining.push(...(await clusterRemains(session, before)));
  return { record, purged, remaining };
}

/** Whether an environment has, or may have, anything in Azure. Pure. */
export function usesAzure({ config }: Pick<Session, "config">, { resources, pending }: State): boolean {
  const isAzure = ({ type }: { type: string }) => type.startsWith("azure-native:");
  // With every system switched off, what an earlier configuration built is looked for where it would be.
  return (
    config.foundry.enabled ||
    !config.serving.enabled ||
    resources.some(isAzure) ||
    pending.some(({ resource }) => isAzure(resource))
  );
}

/** What of the environment is still in the cluster: its namespaces, by their labels, and what belongs to none. */
async function clusterRemains(session: Session, before: State): Promise<Remaining[]> {
  const cluster = await session.clients.cluster();
  const { workload } = session.config;
  const { environment } = session.resolved;
  const labels = clusterLabels(environment);
  const loose = before.resources.flatMap((each) => {
    const ref = refOf(each);
    return ref === undefined || ref.namespace !== undefined || ref.kind === "Namespace" ? [] : [ref];
  });
  const [namespaces, others] = await Promise.all([cluster.namespaces(labels), cluster.find(loose, labels)]);
  const ours = namespaces.filter(({ metadata }) => metadata?.name?.startsWith(`${workload}-${environment}-`));
  return [...ours, ...others.values()].map((object) => {
    const stays = whyItStays(object);
    const going = object.metadata?.deletionTimestamp !== undefined;
    const why = going
      ? `it is being deleted, and something holds it. ${stays}`.trim()
      : "it has this environment's labels but is not on record in this state backend; delete it by hand if it is not needed";
    return { what: (object.kind ?? "object").toLowerCase(), name: object.metadata?.name ?? "", why };
  });
}

/** Purges the environment's own soft-deleted, each in the region where it was, and tells what has to be left. */
export async function purgeOwn(
  context: VerbContext,
  { clients, owner }: Session,
): Promise<{ purged: SoftDeleted[]; remaining: Remaining[] }> {
  const purged: SoftDeleted[] = [];
  const remaining: Remaining[] = [];
  for (const step of planSoftDeleted(await findSoftDeleted(clients, owner), owner, "after-down")) {
    const { kind, name, location, purgedAt } = step.what;
    if (step.do === "purge") {
      context.out.say(`  purging the deleted ${kind} ${name} (${location})`);
      await purge(clients, step.what);
      purged.push(step.what);
    } else if (step.do === "leave") {
      const until = purgedAt === undefined ? {} : { until: purgedAt };
      remaining.push({ what: `soft-deleted ${kind}`, name, why: step.why, ...until });
    }
  }
  return { purged, remaining };
}

/**
 * Deletes what is on record, and with `forget` the record too.
 * @throws KilnError `ForeignResources` when the group holds what is not the environment's
 */
export async function removeAll(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  record: OperationRecord,
  { forget }: { forget: boolean },
): Promise<void> {
  const { resolved, clients } = session;
  await operate(handle, resolved.environment, context, record, async () => {
    await refuseOtherCluster(session, handle.state);
    if (await heal(handle, handle.state, resolved.subscriptionId, clients, context)) await handle.read();
    await refuseForeign(session, handle);
    // A vault that nobody may purge can be had back where it was, and the logs with it.
    if (!forget || protectedVault(handle.state) === undefined) await deleteLogs(clients, handle.state);
    const nothing = handle.state.resources.length === 0;
    if (!nothing) await destroy(context, handle, record);
    // A run that failed at its first resource leaves components on record, which are nothing in the cloud.
    const anyway = nothing ? ["--force"] : [];
    if (forget) await handle.run(["stack", "rm", "--yes", "--preserve-config", ...anyway]);
  });
}

async function destroy(context: VerbContext, handle: StackHandle, record: OperationRecord): Promise<void> {
  const stack = await handle.stack();
  const progress = await Progress.start(context.out, {
    preview: false,
    stdout: context.stdout,
    upcoming: removalsToCome(handle.state),
  });
  try {
    await stack.destroy({
      color: "never",
      suppressProgress: true,
      userAgent: "kiln",
      signal: context.signal,
      onEvent: (event) => {
        record.handle(event);
        progress.handle(event);
      },
    });
  } finally {
    progress.stop();
  }
}

/** A group takes everything in it along: what someone else put there must not go unseen. */
async function refuseForeign(session: Session, handle: StackHandle): Promise<void> {
  const own = armIds(handle.state);
  if (!own.has(session.resolved.ids.resourceGroup.toLowerCase())) return;
  const foreign = (await resourcesOfGroup(session)).filter(
    ({ id, type, tags }) =>
      !own.has(id.toLowerCase()) && !cloudMade.test(type) && !isTaggedOurs(session, tags),
  );
  if (foreign.length === 0) return;
  const names = foreign.map(({ type, name }) => `${type} ${name}`).join(", ");
  throw new KilnError(
    {
      code: "ForeignResources",
      message: `the resource group ${session.resolved.names.resourceGroup} holds resources that are not this environment's`,
      cause: `Deleting the group would delete them too: ${names}.`,
      next: "Move or delete them, then run it again. Nothing was deleted.",
    },
    exitCodes.failed,
  );
}

/** What carries this environment's tags is its own, on record or not. */
function isTaggedOurs(session: Session, tags: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(session.owner.tags).every(([tag, value]) => tags?.[tag] === value);
}

interface GroupResource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly createdOn: Date | undefined;
}

/** What is in the environment's group, without what is below it; nothing where there is no such group. */
export async function resourcesOfGroup(
  session: Pick<Session, "clients" | "resolved">,
): Promise<GroupResource[]> {
  const { resources } = await session.clients.resources();
  const found: GroupResource[] = [];
  try {
    const listed = resources.listByResourceGroup(session.resolved.names.resourceGroup, {
      expand: "createdTime",
    });
    for await (const { id = "", type = "", name = "", tags, createdTime } of listed) {
      found.push({ id, type, name, tags, createdOn: createdTime });
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
  return found;
}

/** A group of our name that is still there: either not ours, or made without a record. */
async function liveRemains(session: Session): Promise<Remaining[]> {
  const { resourceGroups } = await session.clients.resources();
  const name = session.resolved.names.resourceGroup;
  try {
    const group = await resourceGroups.get(name);
    const ours = isTaggedOurs(session, group.tags);
    const why = ours
      ? "it has this environment's tags but is not on record in this state backend; delete it by hand if it is not needed"
      : "it has the name but not the tags of this environment, and is left alone";
    return [{ what: "resource group", name, why }];
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return [];
    throw error;
  }
}
