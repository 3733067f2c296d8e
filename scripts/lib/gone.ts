import { apiVersions } from "./api-versions.ts";
import { clusterLabels, keyOf, refOf } from "./cluster/objects.ts";
import { settledInCluster } from "./cluster/settled.ts";
import { provisioningState } from "./heal.ts";
import { describe } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import type { StackHandle } from "./stack.ts";
import type { State, StateResource } from "./state.ts";
import { resourcesOfGroup } from "./teardown.ts";
import { toKilnError } from "./trouble.ts";

/** What is on record directly in a group, and so is to be found in the group's list. Pure. */
export function listed(state: Pick<State, "resources">, groupId: string): StateResource[] {
  const inGroup = new RegExp(`^${escaped(groupId)}/providers/[^/]+/[^/]+/[^/]+$`, "i");
  return state.resources.filter(({ id, type }) => inGroup.test(id ?? "") && apiVersions[type] !== undefined);
}

/** What a group's list does not show, and an environment is of no use without. */
const UNLISTED: readonly string[] = ["azure-native:cognitiveservices:Deployment"];

/** What is below something else in the group, and has to be asked for by itself. Pure. */
export function unlisted({ resources }: Pick<State, "resources">): StateResource[] {
  return resources.filter(({ id, type }) => id !== undefined && UNLISTED.includes(type));
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * What someone deleted behind Kiln's back: on record, and not in the cloud. One list of the group tells in the usual case that
 * there is nothing of the kind; since lists lag behind, what is not in it is asked for by itself, and so are the models'
 * deployments, which no list of the group shows. What a killed run left is not looked at: healing does that. That it cannot be told is said, and no failure.
 */
export async function lookForGone(
  context: Pick<VerbContext, "out" | "signal">,
  session: Session,
  state: State,
): Promise<StateResource[]> {
  const all = await Promise.all([
    goneFromCloud(context, session, state),
    goneFromCluster(context, session, state),
  ]);
  return all.flat();
}

/** Whether what is on record in a cluster is still there; what is on its way out is waited for. */
async function goneFromCluster(
  context: Pick<VerbContext, "out" | "signal">,
  session: Session,
  state: State,
): Promise<StateResource[]> {
  const recorded = state.resources.flatMap((resource) => {
    const ref = refOf(resource);
    return ref === undefined ? [] : [{ resource, ref }];
  });
  if (recorded.length === 0 || state.pending.length > 0) return [];
  try {
    const cluster = await session.clients.cluster();
    const found = await cluster.find(
      recorded.map(({ ref }) => ref),
      clusterLabels(session.resolved.environment),
    );
    const there = await Promise.all(
      recorded.map(async ({ ref }) => {
        const object = found.get(keyOf(ref));
        if (object?.metadata?.deletionTimestamp === undefined) return object !== undefined;
        return settledInCluster(context, cluster, ref);
      }),
    );
    return recorded.flatMap(({ resource }, at) => (there[at] === true ? [] : [resource]));
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, code } = toKilnError(error);
    context.out.warn(`Whether everything is still in the cluster could not be told: ${message} (${code}).`);
    return [];
  }
}

async function goneFromCloud(
  context: Pick<VerbContext, "out">,
  session: Session,
  state: State,
): Promise<StateResource[]> {
  const recorded = listed(state, session.resolved.ids.resourceGroup);
  if (recorded.length === 0 || state.pending.length > 0) return [];
  try {
    const { resources } = await session.clients.resources();
    const absent = async (all: readonly StateResource[]) => {
      const states = await Promise.all(
        all.map(({ id = "", type }) => provisioningState(resources, id, apiVersions[type] ?? "")),
      );
      return all.filter((_, at) => states[at] === undefined);
    };
    const [group, below] = await Promise.all([resourcesOfGroup(session), absent(unlisted(state))]);
    const there = new Set(group.map(({ id }) => id.toLowerCase()));
    const missing = recorded.filter(({ id = "" }) => !there.has(id.toLowerCase()));
    return [...(await absent(missing)), ...below];
  } catch (error) {
    const { message, code } = toKilnError(error);
    context.out.warn(`Whether everything on record is still there could not be told: ${message} (${code}).`);
    return [];
  }
}

/** Takes from the record what the cloud does not have any more, so that the next run makes it anew. */
export async function forgetGone(
  context: Pick<VerbContext, "out">,
  handle: StackHandle,
  gone: readonly StateResource[],
): Promise<void> {
  if (gone.length === 0) return;
  const shown = gone.slice(0, 5).map(describe).join(", ");
  const names = gone.length > 5 ? `${shown} and ${gone.length - 5} more` : shown;
  context.out.warn(`${names}: on record, but gone from the cloud. Reading what is there, to make it anew.`);
  await handle.run(["refresh", "--yes", "--skip-preview"]);
  await handle.read();
}
