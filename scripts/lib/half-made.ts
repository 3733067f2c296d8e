import { apiVersions } from "./api-versions.ts";
import type { CloudClients } from "./clients.ts";
import { heal, provisioningState } from "./heal.ts";
import type { OperationRecord } from "./operation.ts";
import { describe } from "./progress.ts";
import type { VerbContext } from "./session.ts";
import type { StackHandle } from "./stack.ts";
import { expectedId, type State, type StateResource } from "./state.ts";

/** How the engine words it that something was there before it began. */
const WAS_THERE = /cannot create already existing resource/;

/**
 * Creates that failed though the cloud may have done them: an answer was lost, and the request that was sent again was
 * refused. The provider had seen that nothing was there. Pure.
 */
export function maybeMade(
  { failedCreates, errors }: Pick<OperationRecord, "failedCreates" | "errors">,
  { resources }: Pick<State, "resources">,
): StateResource[] {
  const known = new Set(resources.map(({ urn }) => urn));
  return failedCreates.filter(({ urn, inputs }) => {
    const wasThere = errors.some((each) => each.urn === urn && WAS_THERE.test(each.message));
    // An event shows no secrets, and without them the record would not be what was asked for.
    return !known.has(urn) && !wasThere && !JSON.stringify(inputs ?? {}).includes('"[secret]"');
  });
}

/**
 * Takes over what a failed run made without hearing of it: nothing may be in the cloud that is on no record, since the
 * next run could neither make it nor take it over. Reads the record anew.
 */
export async function keepHalfMade(
  handle: StackHandle,
  record: OperationRecord,
  subscriptionId: string,
  clients: CloudClients,
  context: Pick<VerbContext, "out" | "signal">,
): Promise<void> {
  await handle.read();
  const candidates = maybeMade(record, handle.state);
  if (candidates.length === 0) return;
  const { resources } = await clients.resources();
  const there = await Promise.all(
    candidates.map(async (each) => {
      const id = expectedId(each, subscriptionId);
      const apiVersion = apiVersions[each.type];
      if (id === undefined || apiVersion === undefined) return [];
      const state = await provisioningState(resources, id, apiVersion);
      return state === undefined ? [] : [each];
    }),
  );
  const made = there.flat();
  if (made.length === 0) return;
  const pending = made.map((resource) => ({ resource, type: "creating" }));
  const why = `${made.map(describe).join(", ")}: made, though making it failed. Taking it over.`;
  await heal(handle, { ...handle.state, pending }, subscriptionId, clients, context, why);
  await handle.read();
}
