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
  readonly body?: unknown;
  /** @default application/json */
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** Requests that are on their way at once; more than that many would only wait for the API server. */
const atOnce = 48;

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
  readonly #slots = new Slots(atOnce);
  readonly #quietMs: number;

  /**
   * @param options.quietMs how long a watch may be without a word, in milliseconds; @default 30 s, as the official client has it
   * @throws Error when the kubeconfig does not lead straight to an API server
   */
  static async open(config: SharedConfig, options: { quietMs?: number } = {}): Promise<Connection> {
    const connection = new Connection(config, options.quietMs ?? 30_000);
    await config.applySecurityAuthentication(connection.#context({ method: "GET", path: "/" }));
    return connection;
  }

  private constructor(config: SharedConfig, quietMs: number) {
    this.server = config.getCurrentCluster()?.server ?? "";
    this.#config = config;
    this.#quietMs = quietMs;
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

  #context({ method, path, query, body, contentType }: Omit<KubeRequest, "signal">) {
    const context = this.#configuration.baseServer.makeRequestContext(path, HttpMethod[method]);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) context.setQueryParam(name, value);
    }
    context.setHeaderParam("Accept", "application/json");
    if (body !== undefined) {
      context.setHeaderParam("Content-Type", contentType ?? "application/json");
      context.setBody(JSON.stringify(body));
    }
    return context;
  }
}
