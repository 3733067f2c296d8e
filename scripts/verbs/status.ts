import pc from "picocolors";
import { apiVersions } from "../lib/api-versions.ts";
import { idOf, isClusterResource, keyOf, refOf } from "../lib/cluster/objects.ts";
import type { Readiness } from "../lib/cluster/readiness.ts";
import { readinessInCluster } from "../lib/cluster/survey.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { provisioningState } from "../lib/heal.ts";
import { asKilnError } from "../lib/keys/cloud-answer.ts";
import { duration, outputRows, table } from "../lib/output.ts";
import { condition } from "../lib/overview.ts";
import { regionOf, regionPart } from "../lib/placement.ts";
import { azureRotationPorts, keyPlace } from "../lib/rotation/azure.ts";
import { type KeyStatus, keyStatus } from "../lib/rotation/key-status.ts";
import { openSession, openSessionStack, type Session, type VerbContext } from "../lib/session.ts";
import { emptyState, type State, type StateResource } from "../lib/state.ts";
import type { CloudName } from "../lib/target.ts";

interface ResourceStatus {
  readonly name: string;
  readonly type: string;
  readonly id: string;
  /** The cloud's own provisioning state; `Missing` when it is on record but gone, `Recorded` when it has no life there. */
  readonly state: string;
  /** Why it is not as it should be, in the cluster's own words. */
  readonly why?: string;
}

/** `kiln status <env>`: what is on record, and what the cloud says of each resource. */
export async function status(
  context: VerbContext,
  options: { environment: string; cloud: CloudName },
): Promise<ExitCode> {
  const began = Date.now();
  const session = await openSession(context, options.environment, options.cloud);
  const handle = await openSessionStack(context, session);
  const state = handle?.state ?? emptyState;
  const readiness = readinessInCluster(session, state);
  const [systems, key] = await Promise.all([
    Promise.all(
      systemsOf(state).map(async ({ name, resources }) => ({
        name,
        resources: await Promise.all(resources.map((resource) => look(session, resource, readiness))),
      })),
    ),
    lookAtKey(context, session, state),
  ]);
  const exists = systems.length > 0;
  const result = condition(state);
  const outputs = Object.fromEntries(Object.entries(state.outputs));
  const region = regionOf(session, state);
  context.out.document({
    verb: "status",
    env: options.environment,
    cloud: options.cloud,
    result,
    ...regionPart(region),
    outputs,
    systems,
    ...(key === undefined ? {} : { key }),
    pendingOperations: state.pending.length,
    durationMs: Date.now() - began,
  });
  const { out } = context;
  if (!exists) {
    out.say(`${options.environment} is down (${options.cloud}).`);
    return exitCodes.done;
  }
  const words = result === "up" ? "is up" : "is not whole: its last run did not finish";
  const where = [options.cloud, region].filter((part) => part !== undefined).join(", ");
  out.say(pc.bold(`${options.environment} ${words} (${where})`));
  out.say(table(outputRows(outputs)));
  for (const { name, resources } of systems) {
    out.say(`\n${pc.bold(name)}`);
    out.say(
      table(
        resources.map((each) => [
          each.state,
          each.type.split(":").at(-1) ?? each.type,
          each.why === undefined ? each.name : `${each.name}: ${each.why}`,
        ]),
      ),
    );
  }
  if (key !== undefined) out.say(keyText(key));
  if (state.pending.length > 0) {
    out.warn(
      `${state.pending.length} operation(s) of a killed run are pending; \`kiln up\` or \`kiln down\` heals them.`,
    );
  }
  return exitCodes.done;
}

/** What is known of the key. Undefined where nothing can be said: then it says why, and the rest of the status stands. */
async function lookAtKey(
  context: VerbContext,
  session: Session,
  state: State,
): Promise<KeyStatus | undefined> {
  const place = keyPlace(state, session.resolved.functionApp);
  if (place === undefined) return undefined;
  const ports = await azureRotationPorts(session.target, place, context.signal);
  try {
    return await keyStatus(ports, place, session.target.now());
  } catch (error) {
    const { message, cause } = asKilnError(error, "The state of the key could not be read", "");
    context.out.warn(`${message}: ${cause}`);
    return undefined;
  }
}

function keyText(key: KeyStatus): string {
  const { version, slot, phase, ageMs, expiresOn, consumers, enabledVersions } = key;
  const rotation =
    phase === "drained" ? "none under way" : `stopped at "${phase}"; \`kiln rotate-key\` goes on`;
  const uses = consumers.map(({ app, setting, status: state, version: has }) => [
    "used by",
    `${app} ${setting}: ${state}${has === version ? "" : `, has version ${has ?? "none"}`}`,
  ]);
  return `\n${pc.bold("key")}\n${table([
    ["slot", slot ?? "unknown"],
    ["age", `${duration(ageMs)}${expiresOn === undefined ? "" : `, expires ${expiresOn.slice(0, 10)}`}`],
    ["version", `${version} (${enabledVersions} enabled)`],
    ["rotation", rotation],
    ...uses,
  ])}`;
}

/** What is on record, by the system that it belongs to; a system of which nothing is there is left out. Pure. */
export function systemsOf({ resources }: Pick<State, "resources">) {
  return (["foundry", "serving"] as const).flatMap((name) => {
    const own = resources.filter((each) => systemOf(each) === name);
    return own.length === 0 ? [] : [{ name, resources: own }];
  });
}

/** What is in a cluster is serving's, and so is what serving has in Azure: its identities and passwords. */
function systemOf({ type, urn }: StateResource): "foundry" | "serving" {
  const own = /\bkiln:azure:(?:WorkloadIdentity|GeneratedSecret)\$/.test(urn);
  return isClusterResource({ type }) || own ? "serving" : "foundry";
}

async function look(
  session: Session,
  resource: StateResource,
  readiness: Promise<ReadonlyMap<string, Readiness>>,
): Promise<ResourceStatus> {
  const { type, id = "" } = resource;
  const ref = refOf(resource);
  if (ref !== undefined) {
    const { state, why } = (await readiness).get(keyOf(ref)) ?? { state: "Missing" };
    return { name: idOf(ref), type, id, state, ...(why === undefined ? {} : { why }) };
  }
  const name = String(resource.outputs?.name ?? resource.urn.split("::").at(-1));
  const apiVersion = apiVersions[type];
  if (apiVersion === undefined || !id.startsWith("/")) return { name, type, id, state: "Recorded" };
  // A resource group has a life of its own in the API, beside the resources.
  const { resources, resourceGroups } = await session.clients.resources();
  const live =
    type === "azure-native:resources:ResourceGroup"
      ? await provisioningState({ getById: async () => resourceGroups.get(name) }, id, apiVersion)
      : await provisioningState(resources, id, apiVersion);
  return { name, type, id, state: live ?? "Missing" };
}
