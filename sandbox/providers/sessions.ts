import * as grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import { LRUCache } from "lru-cache";
import type { Session } from "./provider.ts";

type EngineClient = InstanceType<typeof engineService.EngineClient>;

interface Connection {
  readonly cancelled: AbortController;
  config: Readonly<Record<string, string>>;
  engineAddress: string | undefined;
  engine: EngineClient | undefined;
  /** Settles when the last line was taken. */
  logged: Promise<void>;
}

type AnyCall = Pick<grpc.ServerUnaryCall<unknown, unknown>, "getPeer"> & {
  on(event: "cancelled", listener: () => void): unknown;
};

/** Far more than engines that can run at once; a connection that is over is not announced. */
const maxConnections = 1_000;

/**
 * The engines that use this server, told apart by their connection: an engine opens one for each provider instance of
 * each run, so configuration, log and cancellation of one never touch another's.
 */
export class Sessions {
  readonly #connections = new LRUCache<string, Connection>({
    max: maxConnections,
    dispose: (connection) => connection.engine?.close(),
  });

  attach(call: AnyCall, engineAddress: string): void {
    const connection = this.#of(call);
    if (connection.engineAddress === engineAddress) return;
    connection.engine?.close();
    connection.engine = undefined;
    connection.engineAddress = engineAddress;
  }

  configure(call: AnyCall, config: Readonly<Record<string, string>>): void {
    this.#of(call).config = config;
  }

  /** The engine wants everything of this connection to stop, and starts nothing more on it. */
  cancel(call: AnyCall): void {
    this.#of(call).cancelled.abort(new Error("the operation was cancelled"));
  }

  forCall(call: AnyCall): Session {
    const connection = this.#of(call);
    const hungUp = new AbortController();
    call.on("cancelled", () => hungUp.abort(new Error("the engine hung up")));
    return {
      config: connection.config,
      signal: AbortSignal.any([connection.cancelled.signal, hungUp.signal]),
      log: (urn, severity, message, ephemeral = false) => log(connection, urn, severity, message, ephemeral),
    };
  }

  /** Aborts everything under way. */
  close(): void {
    for (const connection of this.#connections.values()) {
      connection.cancelled.abort(new Error("the sandbox is stopping"));
    }
    this.#connections.clear();
  }

  #of(call: AnyCall): Connection {
    const peer = call.getPeer();
    const known = this.#connections.get(peer);
    if (known !== undefined) return known;
    const made: Connection = {
      cancelled: new AbortController(),
      config: {},
      engineAddress: undefined,
      engine: undefined,
      logged: Promise.resolve(),
    };
    this.#connections.set(peer, made);
    return made;
  }
}

const severities = {
  debug: engineProto.LogSeverity.DEBUG,
  info: engineProto.LogSeverity.INFO,
  warning: engineProto.LogSeverity.WARNING,
  error: engineProto.LogSeverity.ERROR,
};

function log(
  connection: Connection,
  urn: string,
  severity: keyof typeof severities,
  message: string,
  ephemeral: boolean,
): Promise<void> {
  if (connection.engineAddress === undefined) return Promise.resolve();
  connection.engine ??= new engineService.EngineClient(
    connection.engineAddress,
    grpc.credentials.createInsecure(),
    // The engine is on this machine: no proxy may stand between.
    { "grpc.enable_http_proxy": 0 },
  );
  const { engine } = connection;
  const request = new engineProto.LogRequest();
  request.setUrn(urn);
  request.setSeverity(severities[severity]);
  request.setMessage(message);
  request.setEphemeral(ephemeral);
  // One at a time keeps the order. A line that the engine no longer takes is of no use to anyone else.
  connection.logged = connection.logged.then(
    () => new Promise((resolve) => void engine.log(request, () => resolve())),
  );
  return connection.logged;
}
