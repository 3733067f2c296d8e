import { type ConstructRequest, Monitor, type Registered } from "../monitor.ts";
import type { Session } from "../provider.ts";
import { fromJson } from "../shape.ts";
import {
  type EncodedValue,
  hasUnknown,
  isList,
  isMap,
  plain,
  reference,
  type Value,
  type ValueMap,
} from "../values.ts";
import { annotations } from "./annotations.ts";
import { markSecretData } from "./check.ts";
import type { Clusters } from "./clusters.ts";
import { defaultNamespace } from "./diff.ts";
import type { KubeObject } from "./json.ts";
import { kindOfToken } from "./kinds.ts";
import {
  annotated,
  decodeManifests,
  kindOf,
  neededFirst,
  placed,
  readManifests,
  resourceName,
  ringAmong,
  scopeAmong,
  singleObjects,
  tokenOf,
} from "./manifests.ts";

const components: ReadonlySet<string> = new Set([
  "kubernetes:yaml/v2:ConfigFile",
  "kubernetes:yaml/v2:ConfigGroup",
]);

export interface ConstructOptions {
  readonly clusters: Clusters;
  /** The namespace that is configured. */
  readonly namespace: string | undefined;
  /** Where paths of files begin that are not whole. */
  readonly folder: string;
  readonly version: string;
}

/**
 * A component of manifests: a resource for each object, in the order in which they need each other.
 * @throws Error for a component that the sandbox does not serve
 */
export async function construct(
  request: ConstructRequest,
  options: ConstructOptions,
  session: Session,
): Promise<{ urn: string; state: Record<string, EncodedValue> }> {
  const { type, name, inputs, message } = request;
  // Says by itself why it does not serve another.
  if (!components.has(type)) kindOfToken(type);
  const monitor = new Monitor(message.getMonitorendpoint(), session.signal);
  try {
    const urn = await monitor.component(request);
    if (hasUnknown(inputs)) {
      const text = `${type}:${name} -- Required input properties have unknown values. Preview is incomplete.`;
      await session.log(urn, "warning", text);
      return { urn, state: {} };
    }
    const objects = await objectsOf(inputs, options, session);
    const prefix = typeof inputs.resourcePrefix === "string" ? inputs.resourcePrefix : name;
    const skip = plain(inputs.skipAwait ?? false) === true;
    const made = await registerAll(objects, (object, dependencies) => {
      const whole = skip ? annotated(object, annotations.skipAwait, "true") : object;
      return monitor.part({
        type: tokenOf(kindOf(object)),
        name: resourceName(object, prefix),
        parent: urn,
        inputs: markSecretData(fromJson(whole) as ValueMap),
        dependencies,
        provider: message.getProvidersMap().get("kubernetes"),
        version: options.version,
      });
    });
    const state = { resources: made.map(({ urn: of, id }) => reference(of, id)) };
    await monitor.complete(urn, state);
    return { urn, state };
  } finally {
    monitor.close();
  }
}

async function objectsOf(
  inputs: ValueMap,
  { clusters, namespace, folder }: ConstructOptions,
  session: Session,
): Promise<KubeObject[]> {
  const text = (value: Value | undefined) => (typeof value === "string" ? [value] : []);
  const { file, files, yaml, objs } = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, plain(value)]),
  );
  const texts = [
    ...text(file).flatMap((each) => readManifests(each, folder, false)),
    ...(isList(files) ? files.flatMap(text) : []).flatMap((each) => readManifests(each, folder, true)),
    ...text(yaml),
  ];
  const given = (isList(objs) ? objs : []).filter(isMap) as unknown as KubeObject[];
  const objects = singleObjects([...texts.flatMap(decodeManifests), ...given]);
  const cluster = await clusters.of(session.config);
  const home = namespace ?? cluster.namespace ?? defaultNamespace;
  const inPlace = await Promise.all(
    objects.map(async (object) => {
      const kind = kindOf(object);
      const namespaced = scopeAmong(objects, kind) ?? (await cluster.discovery.find(kind))?.namespaced;
      return namespaced === true ? placed(object, home) : object;
    }),
  );
  const ring = ringAmong(inPlace);
  if (ring !== undefined) {
    throw new Error(
      `objects depend on each other in a ring: ${ring.map((each) => resourceName(each, "")).join(", ")}`,
    );
  }
  return inPlace;
}

/** Registers each as soon as those that it needs are there. */
async function registerAll(
  objects: readonly KubeObject[],
  register: (object: KubeObject, dependencies: readonly string[]) => Promise<Registered>,
): Promise<Registered[]> {
  const begun = new Map<KubeObject, Promise<Registered>>();
  const begin = (object: KubeObject): Promise<Registered> => {
    let registering = begun.get(object);
    if (registering === undefined) {
      const needed = neededFirst(object, objects).map(begin);
      registering = Promise.all(needed).then((made) =>
        register(
          object,
          made.map(({ urn }) => urn),
        ),
      );
      begun.set(object, registering);
    }
    return registering;
  };
  return Promise.all(objects.map(begin));
}
