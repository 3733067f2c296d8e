import { isApiError, NoMatchError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import { at, mapsAt, textAt } from "./json.ts";
import { apiVersionOf, type Kind } from "./kinds.ts";

/** Where objects of a kind are. */
export interface ApiResource {
  readonly kind: Kind;
  /** `deployments` */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The path of an object, or without a name that of all of its kind, in a namespace or in all. */
export function pathOf(resource: ApiResource, namespace: string | undefined, name?: string): string {
  const { group, version } = resource.kind;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope =
    resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${resource.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** For so long a kind that was not there is not asked for again, in milliseconds. */
const missMs = 300;
/** The longest that a question may take, an API server that is away included, in milliseconds. */
const askMs = 150_000;

interface Known {
  readonly resources: ReadonlyMap<string, ApiResource>;
  readonly asked: number;
}

/** The kinds that an API server has, one request for each group and version, until one is missing. */
export class Discovery {
  readonly #client: KubeClient;
  readonly #known = new Map<string, Promise<Known>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws NoMatchError when there is no such kind */
  async require(kind: Kind): Promise<ApiResource> {
    const found = await this.find(kind);
    if (found === undefined) throw new NoMatchError(kind.kind, apiVersionOf(kind));
    return found;
  }

  async find(kind: Kind): Promise<ApiResource | undefined> {
    const known = await this.#group(kind);
    const found = known.resources.get(kind.kind);
    if (found !== undefined || performance.now() - known.asked < missMs) return found;
    this.#known.delete(apiVersionOf(kind));
    return (await this.#group(kind)).resources.get(kind.kind);
  }

  /** Forgets what is known: a definition was made or is gone. */
  invalidate(): void {
    this.#known.clear();
  }

  #group(kind: Kind): Promise<Known> {
    const key = apiVersionOf(kind);
    let asking = this.#known.get(key);
    if (asking === undefined) {
      asking = this.#ask(kind);
      this.#known.set(key, asking);
      asking.catch(() => this.#known.get(key) === asking && this.#known.delete(key));
    }
    return asking;
  }

  async #ask(kind: Kind): Promise<Known> {
    const { group, version } = kind;
    const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    // Asked once for all who wait: no one's own signal may end it.
    const signal = AbortSignal.timeout(askMs);
    try {
      const { body } = await this.#client.send({ method: "GET", path, signal });
      const resources = mapsAt(body, "resources").flatMap((each): [string, ApiResource][] => {
        const [plural = "", name = ""] = [textAt(each, "name"), textAt(each, "kind")];
        if (plural.includes("/")) return [];
        return [
          [
            name,
            { kind: { group, version, kind: name }, plural, namespaced: at(each, "namespaced") === true },
          ],
        ];
      });
      return { resources: new Map(resources), asked: performance.now() };
    } catch (error) {
      if (!isApiError(error, 404)) throw error;
      return { resources: new Map(), asked: performance.now() };
    }
  }
}
