import { type Answer, type ArmClient, ArmError, armError, armHost, isRecord } from "./arm-client.ts";
import { followOperation } from "./long-running.ts";
import { fromJson, toBody, toOutputs } from "./shape.ts";
import type { ArmRequest } from "./transport.ts";
import { pathParameters, type ResourceType } from "./types.ts";
import { isMap, plainMap, type ValueMap } from "./values.ts";

/** What a resource looks like now. */
export interface Live {
  /** As the service spells it. */
  readonly id: string;
  readonly outputs: ValueMap;
}

/** A PUT was accepted, and then it did not come to a good end. */
export class AcceptedThenFailed extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "AcceptedThenFailed";
  }
}

/** Resources over ARM's REST API: one type's table entry turned into calls. */
export class ArmResources {
  readonly #client: ArmClient;

  constructor(client: ArmClient) {
    this.#client = client;
  }

  /** Undefined when it is not there. */
  async read(type: ResourceType, id: string, signal?: AbortSignal): Promise<Live | undefined> {
    const answer = await this.#readAnswer(type, id, signal);
    if (answer.status === 404 || answer.status === 204) return undefined;
    if (answer.status !== 200) throw armError(answer);
    const body = fromJson(answer.body);
    if (!isMap(body))
      throw new ArmError(answer.status, undefined, `the answer to GET ${id} is no JSON object`);
    return this.#live(type, id, await this.#withSeparate(type, id, body, signal));
  }

  /** Whether something is there that a create would overwrite. */
  async exists(type: ResourceType, id: string, signal?: AbortSignal): Promise<boolean> {
    if (type.singleton !== undefined) return false;
    const answer = await this.#readAnswer(type, id, signal);
    if (answer.status === 404 || answer.status === 204) return false;
    if (answer.status === 200) return isRecord(answer.body) && Object.keys(answer.body).length > 0;
    throw new Error(`cannot check existence of resource '${id}': ${armError(answer).message}`);
  }

  /**
   * Creates or replaces by PUT, and waits until that is over.
   * @throws ArmError when the service refused, AcceptedThenFailed when it accepted and the operation then failed.
   */
  async put(type: ResourceType, id: string, inputs: ValueMap, signal?: AbortSignal): Promise<Live> {
    const body = toBody(type.shape, inputs, pathParameters(type));
    const answer = await this.#send({ method: "PUT", path: id, query: version(type), body }, signal);
    if (answer.status < 200 || answer.status >= 300) throw armError(answer);
    try {
      const started = { method: "PUT" as const, path: id, apiVersion: type.apiVersion };
      await followOperation(this.#client, started, answer, signal);
      const accepted = fromJson(answer.body);
      const madeId = isMap(accepted) ? idOf(accepted, id) : id;
      // What a PUT answers may differ from what a GET does, and a refresh would then report drift.
      const live = await this.read(type, madeId, signal);
      if (live === undefined) throw new Error(`'${madeId}' was accepted, and is not there`);
      return live;
    } catch (error) {
      throw new AcceptedThenFailed(error);
    }
  }

  /** Deletes and waits until it is gone; fine when it was gone before. */
  async delete(type: ResourceType, id: string, inputs: ValueMap, signal?: AbortSignal): Promise<void> {
    if (type.singleton !== undefined) return this.#reset(type, id, signal);
    if (type.deleteOnVault) return this.#deleteSecret(plainMap(inputs), signal);
    const query = { ...version(type), ...type.deleteQuery };
    const answer = await this.#send({ method: "DELETE", path: id, query }, signal);
    if (answer.status === 404 || answer.status === 204) return;
    if (answer.status !== 200 && answer.status !== 202) throw armError(answer);
    const started = { method: "DELETE" as const, path: id, apiVersion: type.apiVersion };
    try {
      await followOperation(this.#client, started, answer, signal);
    } catch (error) {
      if (!(error instanceof ArmError && error.status === 404)) throw error;
    }
  }

  /** An action that answers with something (a list of keys) and changes nothing. */
  async post(path: string, apiVersion: string, signal?: AbortSignal): Promise<ValueMap> {
    const query = { "api-version": apiVersion };
    const answer = await this.#send({ method: "POST", path, query, body: {} }, signal);
    if (answer.status !== 200) throw armError(answer);
    const body = fromJson(answer.body);
    return isMap(body) ? body : {};
  }

  async #reset(type: ResourceType, id: string, signal?: AbortSignal): Promise<void> {
    const body = type.singleton?.reset;
    if (body === undefined) return;
    const answer = await this.#send({ method: "PUT", path: id, query: version(type), body }, signal);
    if (answer.status === 404) return;
    if (answer.status < 200 || answer.status >= 300) throw armError(answer);
  }

  /** ARM cannot delete a secret; the real provider asks the vault. */
  async #deleteSecret(inputs: ValueMap, signal?: AbortSignal): Promise<void> {
    const host = `${String(inputs.vaultName)}.vault.azure.net`;
    const path = `/secrets/${encodeURIComponent(String(inputs.secretName))}`;
    const answer = await this.#send(
      { method: "DELETE", host, path, query: { "api-version": "7.4" } },
      signal,
    );
    const { code } = armError(answer);
    if (answer.status === 200 || (answer.status === 404 && code === "SecretNotFound")) return;
    throw armError(answer);
  }

  #readAnswer(type: ResourceType, id: string, signal?: AbortSignal): Promise<Answer> {
    const query = version(type);
    if (type.readByPost === undefined) return this.#send({ method: "GET", path: id, query }, signal);
    return this.#send({ method: "POST", path: `${id}${type.readByPost}`, query, body: {} }, signal);
  }

  async #withSeparate(
    type: ResourceType,
    id: string,
    body: ValueMap,
    signal?: AbortSignal,
  ): Promise<ValueMap> {
    if (type.separate === undefined) return body;
    const answer = await this.#send(
      { method: "GET", path: `${id}${type.separate.path}`, query: version(type) },
      signal,
    );
    if (answer.status !== 200) throw armError(answer);
    const part = fromJson(answer.body);
    const properties = isMap(part) ? part.properties : undefined;
    if (!isMap(properties)) return body;
    const own = isMap(body.properties) ? body.properties : {};
    return { ...body, properties: { ...own, [type.separate.output]: properties } };
  }

  #live(type: ResourceType, id: string, body: ValueMap): Live {
    const outputs = { ...toOutputs(type.shape, body), azureApiVersion: type.apiVersion };
    return { id: idOf(body, id), outputs };
  }

  #send(
    request: Omit<ArmRequest, "host" | "signal"> & { host?: string },
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.#client.send({ host: armHost, ...request, ...(signal === undefined ? {} : { signal }) });
  }
}

function version(type: ResourceType): Record<string, string> {
  return { "api-version": type.apiVersion };
}

function idOf(body: ValueMap, fallback: string): string {
  return typeof body.id === "string" && body.id.startsWith("/") ? body.id : fallback;
}
