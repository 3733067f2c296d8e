import { type DispatcherOptions, KubeConfig, RequestContext } from "@kubernetes/client-node";

/** Said of a kubeconfig that would have the request take another way than straight to the API server, over TLS. */
const otherWay =
  "the sandbox's API server is reached without a proxy, as a user, and by its certificate authority: the kubeconfig has to name both and no proxy-url";

/**
 * A kubeconfig whose requests and watches share their connections. The official one makes a dispatcher for each request,
 * which means a TLS handshake for each: 2 ms of the processor's time here and 1 ms in the API server, and a socket that nobody
 * closes.
 */
export class SharedConfig extends KubeConfig {
  /** Who asks, as the API server's records have it. */
  readonly #userAgent: string;
  #applied: Promise<RequestContext> | undefined;

  constructor(userAgent: string) {
    super();
    this.#userAgent = userAgent;
  }

  /** @throws Error when the kubeconfig does not lead straight to the API server */
  override createDispatcherOptions(
    ...given: Parameters<KubeConfig["createDispatcherOptions"]>
  ): DispatcherOptions {
    const options = super.createDispatcherOptions(...given);
    // Without options of its own it would be the process's dispatcher, which may have a proxy.
    if (options.type !== "agent") throw new Error(otherWay);
    // HTTP/2 costs a tenth of a millisecond more for each request, and its one connection would break for all at once.
    const overHttp1 = { ...options.connect, allowH2: false };
    return { type: "agent", connect: overHttp1 };
  }

  /** Once, since neither who signs in nor how changes: programs that sign in are refused before. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    this.#applied ??= this.#apply();
    const applied = await this.#applied;
    for (const [name, value] of Object.entries(applied.getHeaders())) context.setHeaderParam(name, value);
    const dispatcher = applied.getDispatcher();
    if (dispatcher === undefined) throw new Error(otherWay);
    context.setDispatcher(dispatcher);
  }

  /** Ends the connections, and what is on its way over them. */
  async close(): Promise<void> {
    await (await this.#applied)?.getDispatcher()?.destroy();
  }

  async #apply(): Promise<RequestContext> {
    const context = new RequestContext(this.getCurrentCluster()?.server ?? "", "GET");
    await super.applySecurityAuthentication(context);
    context.setHeaderParam("User-Agent", this.#userAgent);
    // On this machine, packing and unpacking takes longer than sending.
    context.setHeaderParam("Accept-Encoding", "identity");
    return context;
  }
}
