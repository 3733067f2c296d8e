import type { Connection } from "../providers/kubernetes/connection.ts";
import { taken, until } from "./api.ts";

interface Version {
  readonly version: string;
  readonly resources?: readonly { readonly resource: string }[] | null;
}
interface Group {
  readonly metadata: { readonly name: string };
  readonly versions: readonly Version[] | null;
}

/**
 * Waits until the API server serves what was defined: until it lists each, and answers for each.
 * @param names of definitions, `plural.group`
 */
export async function awaitServed(
  api: Connection,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  let paths = new Map<string, string[]>();
  await until(signal, async () => {
    paths = await servedPaths(api, names, signal);
    return paths.size === names.size;
  });
  await Promise.all([...paths.values()].flat().map((path) => awaitListed(api, path, signal)));
}

/** The paths at which the kinds are served, one per version, by the definition's name. */
async function servedPaths(
  api: Connection,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const answer = await api.ask({ method: "GET", path: "/apis", accept, signal });
  const { items } = taken(answer, "/apis") as { items?: readonly Group[] | null };
  const paths = new Map<string, string[]>();
  for (const { metadata, versions } of items ?? []) {
    for (const { version, resources } of versions ?? []) {
      for (const { resource } of resources ?? []) {
        const name = `${resource}.${metadata.name}`;
        if (!names.has(name)) continue;
        paths.set(name, [...(paths.get(name) ?? []), `/apis/${metadata.name}/${version}/${resource}`]);
      }
    }
  }
  return paths;
}

/**
 * The API server makes a custom kind's cache when the kind is first asked for, and answers 429, "storage is (re)initializing", to
 * who lists it until that is filled. kubectl asks again by itself; other official clients give up. So it is asked for here, in
 * the way that only the cache answers (k8s.io/apiserver, pkg/storage/cacher/delegator.go), and cheaply: for nothing that there is.
 */
async function awaitListed(api: Connection, path: string, signal: AbortSignal): Promise<void> {
  const query = { resourceVersion: "0", fieldSelector: "metadata.name=nothing" };
  await until(signal, async () => {
    const answer = await api.ask({ method: "GET", path, query, signal });
    if (answer.status === 429) return false;
    taken(answer, path);
    return true;
  });
}
