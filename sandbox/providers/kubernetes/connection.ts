import { createConfiguration, HttpMethod, ServerConfiguration } from "@kubernetes/client-node";
import { type Answer, answerOf } from "./answer.ts";
import { direct } from "./direct.ts";
import type { JsonMap } from "./json.ts";
import type { SharedConfig } from "./shared-config.ts";
import { Slots } from "./signals.ts";
import { watchCollection } from "./watch.ts";

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it stands, in place of a body. */
  readonly text?: string;
  /** @default application/json */
  readonly contentType?: string;
  /** @default application/json */
  readonly accept?: string;
  readonly signal: AbortSignal;
}

export interface ConnectionOptions {
  /** Requests that are on their way at once; @default 48: more would only wait for the API server */
  readonly atOnce?: number;
  /** How long a watch may be without a word, in milliseconds; @default 30 s, as the official client has it */
  readonly quietMs?: number;
}

/**
 * The official client's way to one API server, as one user: its sign-in, its connections, its requests and its watches.
 *
 * What its generated calls do beyond that is left out on purpose. They make objects of classes that know the fields of one
 * version, drop all others and turn times into dates, where an object has to come back as the API server has it.
 */
export class Connection {
  readonly server: string;
  readonly #config: SharedConfig;
  readonly #configuration: ReturnType<typeof createConfiguration>;
  readonly #slots: Slots;
  readonly #quietMs: number;

  /** @throws Error when the kubeconfig does not lead straight to an API server */
  static async open(config: SharedConfig, options: ConnectionOptions = {}): Promise<Connection> {
    const connection = new Connection(config, options);
    await config.applySecurityAuthentication(connection.#context({ method: "GET", path: "/" }));
    return connection;
  }

  private constructor(config: SharedConfig, { atOnce = 48, quietMs = 30_000 }: ConnectionOptions) {
    this.server = config.getCurrentCluster()?.server ?? "";
    this.#config = config;
    this.#quietMs = quietMs;
    this.#slots = new Slots(atOnce);
    this.#configuration = createConfiguration({
      baseServer: new ServerConfiguration(this.server, {}),
      httpApi: direct,
      authMethods: { default: config },
    });
  }

  /** Sends a request once. @throws whatever left it without an answer */
  ask(request: KubeRequest): Promise<Answer> {
    return this.#slots.use(request.signal, async () => {
      const context = this.#context(request);
      await this.#config.applySecurityAuthentication(context);
      context.setSignal(request.signal);
      const { httpStatusCode, headers, body } = await this.#configuration.httpApi.send(context).toPromise();
      return answerOf(httpStatusCode, headers, await body.text());
    });
  }

  /** See {@link watchCollection}. */
  watch(
    path: string,
    from: string,
    signal: AbortSignal,
    onEvent: (type: string, object: JsonMap) => void,
  ): Promise<"over" | "quiet"> {
    return watchCollection(this.#config, { path, from, signal, onEvent, quietMs: this.#quietMs });
  }

  close(): Promise<void> {
    return this.#config.close();
  }

  #context(request: Omit<KubeRequest, "signal">) {
    const { method, path, query = {}, body, contentType = "application/json" } = request;
    const context = this.#configuration.baseServer.makeRequestContext(path, HttpMethod[method]);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) context.setQueryParam(name, value);
    }
    context.setHeaderParam("Accept", request.accept ?? "application/json");
    const text = request.text ?? (body === undefined ? undefined : JSON.stringify(body));
    if (text !== undefined) {
      context.setHeaderParam("Content-Type", contentType);
      context.setBody(text);
    }
    return context;
  }
}
