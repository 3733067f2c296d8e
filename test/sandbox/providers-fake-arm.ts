import type { ArmRequest, ArmResponse, ArmTransport } from "../../sandbox/providers/transport.ts";

type Json = Record<string, unknown>;

/** What the fake does to the next request that fits, once. */
export interface Twist {
  readonly method: ArmRequest["method"];
  readonly path: RegExp;
  readonly act: "lost-before" | "lost-after" | ArmResponse | "fail-operation";
}

/**
 * An in-memory ARM, small and honest: PUT replaces, GET shows, DELETE forgets; accounts take an operation; what a
 * resource shows of its own is made up. Parents must be there.
 */
export class FakeArm {
  readonly resources = new Map<string, Json>();
  readonly requests: ArmRequest[] = [];
  readonly #operations = new Map<string, { polls: number; error?: Json }>();
  readonly #twists: Twist[] = [];

  twist(twist: Twist): void {
    this.#twists.push(twist);
  }

  get(id: string): Json | undefined {
    return this.resources.get(id.toLowerCase());
  }

  sent(method: ArmRequest["method"], path: RegExp): ArmRequest[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path));
  }

  readonly transport: ArmTransport = async (request) => {
    this.requests.push(request);
    if (request.query["api-version"] === undefined)
      return failure(400, "MissingApiVersionParameter", "no version");
    const at = this.#twists.findIndex(
      (each) => each.method === request.method && each.path.test(request.path),
    );
    const twist = at === -1 ? undefined : this.#twists.splice(at, 1)[0]?.act;
    if (twist === "lost-before") throw new Error("socket hang up");
    if (typeof twist === "object") return twist;
    const response = this.#answer(request, twist === "fail-operation");
    if (twist === "lost-after") throw new Error("socket hang up");
    return response;
  };

  #answer(request: ArmRequest, failing: boolean): ArmResponse {
    const path = request.path.replace(/\/list$/, "");
    const key = path.toLowerCase();
    if (request.host.endsWith(".vault.azure.net")) return this.#vault(request);
    if (key.includes("/operationstatuses/")) return this.#operation(key);
    if (request.method === "POST" || request.method === "GET") {
      if (key.endsWith("/listkeys")) return ok({ key1: "k".repeat(84), key2: "l".repeat(84) });
      if (key.endsWith("/config/web")) {
        const site = this.get(key.replace("/config/web", ""));
        const { properties } = (site ?? {}) as { properties?: Json };
        return site === undefined ? notFound(path) : ok({ properties: properties?.siteConfig ?? {} });
      }
      const found = this.resources.get(key);
      return found === undefined ? notFound(path) : ok(found);
    }
    if (request.method === "DELETE") {
      const gone = [...this.resources.keys()].filter((each) => each === key || each.startsWith(`${key}/`));
      for (const each of gone) this.resources.delete(each);
      return { status: gone.length === 0 ? 204 : 200, headers: {}, body: undefined };
    }
    return this.#put(path, request.body as Json, failing);
  }

  #put(path: string, body: Json, failing: boolean): ArmResponse {
    const key = path.toLowerCase();
    const parent = /^(.*?\/resourcegroups\/[^/]+)\/providers\//.exec(key)?.[1];
    if (parent !== undefined && !this.resources.has(parent)) return notFound(parent);
    const isNew = !this.resources.has(key);
    const made = { ...body, id: path, name: path.split("/").at(-1), ...this.#ownOf(path, body) };
    this.resources.set(key, made);
    if (!/\/accounts\/[^/]+$/.test(key)) return { status: isNew ? 201 : 200, headers: {}, body: made };
    const id = `op-${this.#operations.size + 1}`;
    this.#operations.set(id, {
      polls: 2,
      ...(failing ? { error: { code: "InsufficientQuota", message: "no quota is left" } } : {}),
    });
    const at = `https://management.azure.com/subscriptions/s/providers/x/operationStatuses/${id}?api-version=1`;
    const headers = { "Azure-AsyncOperation": at, "Retry-After": "1", "retry-after-ms": "1" };
    return { status: 201, headers, body: made };
  }

  #ownOf(path: string, body: Json): Json {
    const type = /\/providers\/([^/]+\/[^/]+)\/[^/]+$/.exec(path)?.[1] ?? "x/x";
    const properties = { ...(body.properties as Json | undefined) };
    const name = path.split("/").at(-1);
    if (type === "Microsoft.CognitiveServices/accounts") {
      Object.assign(properties, {
        endpoint: `https://${name}.openai.azure.com/`,
        provisioningState: "Succeeded",
      });
      properties.publicNetworkAccess ??= "Enabled";
    }
    if (type === "Microsoft.KeyVault/vaults") properties.vaultUri = `https://${name}.vault.azure.net/`;
    const set = (body.identity as { userAssignedIdentities?: Json } | undefined)?.userAssignedIdentities;
    const identity =
      set === undefined
        ? {}
        : {
            identity: {
              ...(body.identity as Json),
              userAssignedIdentities: Object.fromEntries(
                Object.keys(set).map((id) => [id, { clientId: "c" }]),
              ),
            },
          };
    return { type, properties, ...identity };
  }

  #operation(key: string): ArmResponse {
    const operation = this.#operations.get(key.split("/").at(-1) ?? "");
    if (operation === undefined) return notFound(key);
    if (operation.polls-- > 0) {
      return { status: 200, headers: { "retry-after-ms": "1" }, body: { status: "InProgress" } };
    }
    return operation.error === undefined
      ? ok({ status: "Succeeded" })
      : ok({ status: "Failed", error: operation.error });
  }

  #vault(request: ArmRequest): ArmResponse {
    const secret = [...this.resources.keys()].find((key) => key.endsWith(request.path.toLowerCase()));
    if (request.method !== "DELETE") return failure(405, "MethodNotAllowed", "only DELETE here");
    if (secret === undefined) return failure(404, "SecretNotFound", "there is no such secret");
    this.resources.delete(secret);
    return ok({});
  }
}

function ok(body: Json): ArmResponse {
  return { status: 200, headers: { "Content-Type": "application/json" }, body };
}

export function failure(status: number, code: string, message: string, headers = {}): ArmResponse {
  return { status, headers, body: { error: { code, message } } };
}

function notFound(id: string): ArmResponse {
  return failure(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
}

/** A token with the claims that the provider reads of its own. */
export async function fakeToken(): Promise<string> {
  const claims = {
    appid: "11111111-1111-1111-1111-111111111111",
    oid: "22222222-2222-2222-2222-222222222222",
  };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
}
