import * as grpc from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { configReply, diffReply } from "./diff-reply.ts";
import { type CheckFailure, PartialFailure, type Provider, type Session } from "./provider.ts";
import type { Sessions } from "./sessions.ts";
import { decodeMap, encodeMap, redact, secretTexts, type ValueMap } from "./values.ts";

type Struct = ReturnType<typeof structProto.Struct.fromJavaScript>;
type Reply<T> = (request: T, session: Session) => Promise<unknown>;

/**
 * A provider as the service `pulumirpc.ResourceProvider`. Wire behaviour: `@pulumi/pulumi/provider/server.js`, and what
 * the engine (v3.220.0) does with answers.
 */
export function serviceOf(provider: Provider, sessions: Sessions): grpc.UntypedServiceImplementation {
  const unary =
    <T extends { toObject(): object }>(reply: Reply<T>): grpc.handleUnaryCall<T, unknown> =>
    (call, callback) => {
      const session = sessions.forCall(call);
      // What the engine sent is where its secrets are; they must not come back in a message.
      const secrets = () => secretTexts(allValues(call.request));
      reply(call.request, session).then(
        (message) => callback(null, message),
        (error: unknown) => callback(errorReply(error, secrets)),
      );
    };
  const empty = async () => new emptyProto.Empty();
  return {
    ...lifecycle(provider, sessions),
    ...(provider.construct === undefined
      ? {}
      : { construct: unary(constructReply(provider.construct.bind(provider))) }),
    checkConfig: unary<Messages.CheckRequest>(async (request) => {
      const news = read(request.getNews());
      return checkReply(news, provider.checkConfig?.(request.getUrn(), news) ?? []);
    }),
    diffConfig: unary<Messages.DiffRequest>(async (request) => {
      const found = provider.diffConfig?.(read(request.getOlds()), read(request.getNews()));
      return found === undefined ? new providerProto.DiffResponse() : configReply(found);
    }),
    check: unary<Messages.CheckRequest>(async (request, session) => {
      const { inputs, failures } = await provider.check(checkRequest(request), session);
      return checkReply(inputs, failures);
    }),
    diff: unary<Messages.DiffRequest>(async (request, session) => {
      const oldInputs = read(request.hasOldInputs() ? request.getOldInputs() : request.getOlds());
      const compared = {
        ...resourceOf(request),
        oldInputs,
        oldOutputs: read(request.getOlds()),
        inputs: read(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
      };
      const { changes, deleteBeforeReplace } = await provider.diff(compared, session);
      return diffReply(changes, deleteBeforeReplace);
    }),
    create: unary<Messages.CreateRequest>(async (request, session) => {
      const { id, outputs } = await provider.create(
        {
          ...resourceOf(request),
          inputs: read(request.getProperties()),
          preview: request.getPreview(),
          timeout: request.getTimeout(),
        },
        session,
      );
      return new providerProto.CreateResponse().setId(id).setProperties(write(outputs));
    }),
    read: unary<Messages.ReadRequest>(async (request, session) => {
      const found = await provider.read(
        {
          ...resourceOf(request),
          id: request.getId(),
          outputs: read(request.getProperties()),
          inputs: request.hasInputs() ? read(request.getInputs()) : undefined,
        },
        session,
      );
      const reply = new providerProto.ReadResponse();
      if (found === undefined) return reply;
      return reply.setId(found.id).setProperties(write(found.outputs)).setInputs(write(found.inputs));
    }),
    update: unary<Messages.UpdateRequest>(async (request, session) => {
      const outputs = await provider.update(
        {
          ...resourceOf(request),
          id: request.getId(),
          oldInputs: read(request.getOldInputs()),
          oldOutputs: read(request.getOlds()),
          inputs: read(request.getNews()),
          preview: request.getPreview(),
          timeout: request.getTimeout(),
          ignoreChanges: request.getIgnorechangesList(),
        },
        session,
      );
      return new providerProto.UpdateResponse().setProperties(write(outputs));
    }),
    delete: unary<Messages.DeleteRequest>(async (request, session) => {
      await provider.delete(
        {
          ...resourceOf(request),
          id: request.getId(),
          inputs: read(request.getOldInputs()),
          outputs: read(request.getProperties()),
          timeout: request.getTimeout(),
        },
        session,
      );
      return empty();
    }),
    invoke: unary<Messages.InvokeRequest>(async (request, session) => {
      const { result, failures } = await provider.invoke(request.getTok(), read(request.getArgs()), session);
      return new providerProto.InvokeResponse()
        .setReturn(write(result))
        .setFailuresList(failures.map(failureMessage));
    }),
  };
}

function constructReply(construct: NonNullable<Provider["construct"]>): Reply<Messages.ConstructRequest> {
  return async (message, session) => {
    const [type, name, inputs] = [message.getType(), message.getName(), read(message.getInputs())];
    const { urn, state } = await construct({ type, name, inputs, message }, session);
    return new providerProto.ConstructResponse()
      .setUrn(urn)
      .setState(structProto.Struct.fromJavaScript(state));
  };
}

/** What concerns the connection and the plugin, not a resource. */
function lifecycle(provider: Provider, sessions: Sessions): grpc.UntypedServiceImplementation {
  const answer =
    <T, R>(reply: (call: grpc.ServerUnaryCall<T, R>) => R): grpc.handleUnaryCall<T, R> =>
    (call, callback) => {
      try {
        callback(null, reply(call));
      } catch (error) {
        callback(errorReply(error, () => []));
      }
    };
  return {
    handshake: answer((call: grpc.ServerUnaryCall<Messages.ProviderHandshakeRequest, unknown>) => {
      sessions.attach(call, call.request.getEngineAddress());
      return new providerProto.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setAcceptResources(true)
        .setAcceptOutputs(true)
        .setSupportsAutonamingConfiguration(true);
    }),
    attach: answer((call: grpc.ServerUnaryCall<{ getAddress(): string }, unknown>) => {
      sessions.attach(call, call.request.getAddress());
      return new emptyProto.Empty();
    }),
    configure: answer((call: grpc.ServerUnaryCall<Messages.ConfigureRequest, unknown>) => {
      const config = Object.fromEntries(
        call.request
          .getVariablesMap()
          .toArray()
          .map(([name, value]) => [name.split(":").at(-1) ?? name, value]),
      );
      provider.configure(config);
      sessions.configure(call, config);
      return new providerProto.ConfigureResponse()
        .setAcceptsecrets(true)
        .setSupportspreview(true)
        .setAcceptresources(true)
        .setAcceptoutputs(true)
        .setSupportsAutonamingConfiguration(true);
    }),
    cancel: answer((call) => {
      sessions.cancel(call);
      return new emptyProto.Empty();
    }),
    getPluginInfo: answer(() => new pluginProto.PluginInfo().setVersion(provider.version)),
    getSchema: answer((call: grpc.ServerUnaryCall<Messages.GetSchemaRequest, unknown>) => {
      if (call.request.getVersion() !== 0) {
        throw new Error(`unsupported schema version ${call.request.getVersion()}`);
      }
      const schema = { name: provider.name, version: provider.version };
      return new providerProto.GetSchemaResponse().setSchema(JSON.stringify(schema));
    }),
  };
}

function read(struct: Struct | undefined): ValueMap {
  return struct === undefined ? {} : decodeMap(struct.toJavaScript());
}

function write(map: ValueMap): Struct {
  return structProto.Struct.fromJavaScript(encodeMap(map));
}

/** Every Struct of a request, for its secrets. */
function allValues(request: unknown): ValueMap {
  const getters = ["getNews", "getOlds", "getOldInputs", "getProperties", "getInputs", "getArgs"] as const;
  const holder = request as Partial<Record<(typeof getters)[number], () => Struct | undefined>>;
  return Object.fromEntries(getters.map((name) => [name, read(holder[name]?.())]));
}

interface OfResource {
  getUrn(): string;
  getType(): string;
  getName(): string;
}

/** Older engines send the URN alone. */
function resourceOf(request: OfResource): { urn: string; type: string; name: string } {
  const urn = request.getUrn();
  const parts = urn.split("::");
  return {
    urn,
    type: request.getType() || (parts[2]?.split("$").at(-1) ?? ""),
    name: request.getName() || parts.slice(3).join("::"),
  };
}

function checkRequest(request: Messages.CheckRequest): Parameters<Provider["check"]>[0] {
  const autonaming = request.getAutonaming();
  const modes = ["propose", "enforce", "disable"] as const;
  return {
    ...resourceOf(request),
    olds: read(request.getOlds()),
    news: read(request.getNews()),
    randomSeed: request.getRandomseed_asU8(),
    ...(autonaming === undefined
      ? {}
      : {
          autonaming: {
            mode: modes[autonaming.getMode()] ?? "propose",
            proposed: autonaming.getProposedName(),
          },
        }),
  };
}

function checkReply(inputs: ValueMap, failures: readonly CheckFailure[]): Messages.CheckResponse {
  return new providerProto.CheckResponse()
    .setInputs(write(inputs))
    .setFailuresList(failures.map(failureMessage));
}

function failureMessage(failure: CheckFailure): Messages.CheckFailure {
  return new providerProto.CheckFailure().setProperty(failure.property).setReason(failure.reason);
}

/** A failure as the engine expects it: a partial one carries what was made in the status details. */
function errorReply(error: unknown, secrets: () => readonly string[]): grpc.ServiceError {
  const hidden = secrets();
  const message = redact(error instanceof Error ? error.message : String(error), hidden);
  const metadata = new grpc.Metadata();
  if (error instanceof PartialFailure) {
    const detail = new providerProto.ErrorResourceInitFailed()
      .setId(error.id)
      .setProperties(write(error.outputs))
      .setInputs(write(error.inputs))
      .setReasonsList(error.reasons.map((reason) => redact(reason, hidden)));
    const packed = new anyProto.Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statusProto.Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(message);
    status.addDetails(packed);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return Object.assign(new Error(message), { code: grpc.status.UNKNOWN, details: message, metadata });
}
