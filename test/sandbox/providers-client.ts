import * as grpc from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { serveProviders } from "../../sandbox/providers/server.ts";
import { decodeMap, encodeMap, type ValueMap } from "../../sandbox/providers/values.ts";
import { FakeArm, fakeToken } from "./providers-fake-arm.ts";

export const subscriptionId = "00000000-0000-0000-0000-000000000001";
export const tenantId = "00000000-0000-0000-0000-000000000002";

/** What a failed call carries of a resource that was made all the same. */
export interface InitFailure {
  readonly id: string;
  readonly outputs: ValueMap;
  readonly inputs: ValueMap;
  readonly reasons: readonly string[];
}

type Method<Q, R> = (
  request: Q,
  callback: (error: grpc.ServiceError | null, reply: R) => void,
) => grpc.ClientUnaryCall;

/** One connection to a provider, as an engine would hold it; values go in and out decoded. */
export class ProviderClient {
  readonly raw: InstanceType<typeof providerService.ResourceProviderClient>;
  readonly #package: string;

  constructor(port: number, packageName: string) {
    this.#package = packageName;
    this.raw = new providerService.ResourceProviderClient(
      `127.0.0.1:${port}`,
      grpc.credentials.createInsecure(),
      {
        "grpc.enable_http_proxy": 0,
        // Clients to one address share a connection otherwise, and a connection is what an engine is told apart by.
        "grpc.use_local_subchannel_pool": 1,
      },
    );
  }

  close(): void {
    this.raw.close();
  }

  urn(type: string, name = "it"): string {
    return `urn:pulumi:dev::probe::${type}::${name}`;
  }

  handshake(engineAddress: string): Promise<Messages.ProviderHandshakeResponse> {
    const request = new providerProto.ProviderHandshakeRequest().setEngineAddress(engineAddress);
    return unary((each, callback) => this.raw.handshake(each, callback), request);
  }

  attach(engineAddress: string): Promise<unknown> {
    const request = new pluginProto.PluginAttach().setAddress(engineAddress);
    return unary((each, callback) => this.raw.attach(each, callback), request);
  }

  configure(variables: Record<string, string> = {}): Promise<Messages.ConfigureResponse> {
    const request = new providerProto.ConfigureRequest().setAcceptsecrets(true).setAcceptresources(true);
    for (const [name, value] of Object.entries(variables)) {
      request.getVariablesMap().set(`${this.#package}:config:${name}`, value);
    }
    return unary((each, callback) => this.raw.configure(each, callback), request);
  }

  cancel(): Promise<unknown> {
    return unary((each, callback) => this.raw.cancel(each, callback), new emptyProto.Empty());
  }

  /** What a change of the configuration replaces. */
  async diffConfig(olds: ValueMap, news: ValueMap): Promise<{ changes: number; replaces: string[] }> {
    const request = new providerProto.DiffRequest().setOlds(struct(olds)).setNews(struct(news));
    const reply: Messages.DiffResponse = await unary(
      (each, callback) => this.raw.diffConfig(each, callback),
      request,
    );
    return { changes: reply.getChanges(), replaces: reply.getReplacesList() };
  }

  async check(
    type: string,
    news: ValueMap,
    extra: { olds?: ValueMap; name?: string; seed?: string; autonaming?: [mode: number, name: string] } = {},
  ): Promise<{ inputs: ValueMap; failures: string[] }> {
    const request = new providerProto.CheckRequest()
      .setUrn(this.urn(type, extra.name))
      .setOlds(struct(extra.olds ?? {}))
      .setNews(struct(news))
      .setRandomseed(Buffer.from(extra.seed ?? "seed"));
    if (extra.autonaming !== undefined) {
      const [mode, name] = extra.autonaming;
      const options = new providerProto.CheckRequest.AutonamingOptions().setProposedName(name).setMode(mode);
      request.setAutonaming(options);
    }
    const reply: Messages.CheckResponse = await unary(
      (each, callback) => this.raw.check(each, callback),
      request,
    );
    return {
      inputs: values(reply.getInputs()),
      failures: reply.getFailuresList().map((each) => `${each.getProperty()}: ${each.getReason()}`),
    };
  }

  async diff(
    type: string,
    olds: ValueMap,
    news: ValueMap,
    outputs: ValueMap = {},
  ): Promise<{ changes: number; details: Record<string, string>; replaces: string[]; deleteFirst: boolean }> {
    const request = new providerProto.DiffRequest()
      .setUrn(this.urn(type))
      .setId("id")
      .setOlds(struct(outputs))
      .setOldInputs(struct(olds))
      .setNews(struct(news));
    const reply: Messages.DiffResponse = await unary(
      (each, callback) => this.raw.diff(each, callback),
      request,
    );
    const kinds = Object.keys(providerProto.PropertyDiff.Kind);
    return {
      changes: reply.getChanges(),
      details: Object.fromEntries(
        reply
          .getDetaileddiffMap()
          .toArray()
          .map(([path]) => [path, kinds[reply.getDetaileddiffMap().get(path)?.getKind() ?? -1] ?? "?"]),
      ),
      replaces: reply.getReplacesList(),
      deleteFirst: reply.getDeletebeforereplace(),
    };
  }

  async create(
    type: string,
    inputs: ValueMap,
    extra: { preview?: boolean; timeout?: number; onCall?: (call: grpc.ClientUnaryCall) => void } = {},
  ): Promise<{ id: string; outputs: ValueMap }> {
    const request = new providerProto.CreateRequest()
      .setUrn(this.urn(type))
      .setProperties(struct(inputs))
      .setPreview(extra.preview ?? false)
      .setTimeout(extra.timeout ?? 0);
    const reply: Messages.CreateResponse = await unary((each, callback) => {
      const call = this.raw.create(each, callback);
      extra.onCall?.(call);
      return call;
    }, request);
    return { id: reply.getId(), outputs: values(reply.getProperties()) };
  }

  async read(
    type: string,
    id: string,
    known?: { inputs: ValueMap; outputs: ValueMap },
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap }> {
    const request = new providerProto.ReadRequest().setUrn(this.urn(type)).setId(id);
    request.setProperties(struct(known?.outputs ?? {}));
    if (known !== undefined) request.setInputs(struct(known.inputs));
    const reply: Messages.ReadResponse = await unary(
      (each, callback) => this.raw.read(each, callback),
      request,
    );
    return { id: reply.getId(), outputs: values(reply.getProperties()), inputs: values(reply.getInputs()) };
  }

  async update(
    type: string,
    id: string,
    olds: { inputs: ValueMap; outputs: ValueMap },
    inputs: ValueMap,
    preview = false,
    ignoreChanges: string[] = [],
  ): Promise<ValueMap> {
    const request = new providerProto.UpdateRequest()
      .setUrn(this.urn(type))
      .setId(id)
      .setOlds(struct(olds.outputs))
      .setOldInputs(struct(olds.inputs))
      .setNews(struct(inputs))
      .setIgnorechangesList(ignoreChanges)
      .setPreview(preview);
    const reply: Messages.UpdateResponse = await unary(
      (each, callback) => this.raw.update(each, callback),
      request,
    );
    return values(reply.getProperties());
  }

  async delete(
    type: string,
    id: string,
    state: { inputs?: ValueMap; outputs?: ValueMap } = {},
  ): Promise<void> {
    const request = new providerProto.DeleteRequest()
      .setUrn(this.urn(type))
      .setId(id)
      .setOldInputs(struct(state.inputs ?? {}))
      .setProperties(struct(state.outputs ?? {}));
    await unary((each, callback) => this.raw.delete(each, callback), request);
  }

  async invoke(token: string, args: ValueMap): Promise<{ result: ValueMap; failures: string[] }> {
    const request = new providerProto.InvokeRequest().setTok(token).setArgs(struct(args));
    const reply: Messages.InvokeResponse = await unary(
      (each, callback) => this.raw.invoke(each, callback),
      request,
    );
    return {
      result: values(reply.getReturn()),
      failures: reply.getFailuresList().map((each) => `${each.getProperty()}: ${each.getReason()}`),
    };
  }
}

/** Reads the details that a partial failure carries. */
export function initFailure(error: unknown): InitFailure {
  const [packed] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
  const status = statusProto.Status.deserializeBinary(packed as Buffer);
  const detail = status
    .getDetailsList()[0]
    ?.unpack(providerProto.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
  if (!detail) throw new Error("the error carries no ErrorResourceInitFailed");
  return {
    id: detail.getId(),
    outputs: values(detail.getProperties()),
    inputs: values(detail.getInputs()),
    reasons: detail.getReasonsList(),
  };
}

/** Both providers on free ports over a fake ARM, with clients; everything closes with `close`. */
export async function startProviders(
  options: { commandEnv?: Record<string, string>; projectDir?: string; arm?: FakeArm } = {},
): Promise<{
  arm: FakeArm;
  azure: ProviderClient;
  command: ProviderClient;
  served: Awaited<ReturnType<typeof serveProviders>>;
  close(): Promise<void>;
}> {
  const arm = options.arm ?? new FakeArm();
  const served = await serveProviders({
    subscriptionId,
    tenantId,
    armTransport: arm.transport,
    getToken: fakeToken,
    gitHubOwner: "kiln",
    commandEnv: () => options.commandEnv ?? {},
    projectDir: options.projectDir ?? process.cwd(),
    retry: { tries: 4, firstDelayMs: 1, maxDelayMs: 4, patienceMs: 120_000 },
  });
  const azure = new ProviderClient(served.ports.azureNative, "azure-native");
  const command = new ProviderClient(served.ports.command, "command");
  return {
    arm,
    azure,
    command,
    served,
    close: async () => {
      azure.close();
      command.close();
      await served.close();
    },
  };
}

function unary<Q, R>(method: Method<Q, R>, request: Q): Promise<R> {
  return new Promise((resolve, reject) => {
    method(request, (error, reply) => (error === null ? resolve(reply) : reject(error)));
  });
}

function struct(map: ValueMap) {
  return structProto.Struct.fromJavaScript(encodeMap(map));
}

function values(from: ReturnType<typeof struct> | undefined): ValueMap {
  return from === undefined ? {} : decodeMap(from.toJavaScript());
}
