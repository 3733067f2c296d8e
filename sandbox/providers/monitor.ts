import * as grpc from "@grpc/grpc-js";
import type * as Providers from "@pulumi/pulumi/proto/provider_pb.js";
import resourceService from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type * as Messages from "@pulumi/pulumi/proto/resource_pb.js";
import resourceProto from "@pulumi/pulumi/proto/resource_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { type EncodedValue, encodeMap, type ValueMap } from "./values.ts";

/** A component that a program wants the provider to build. */
export interface ConstructRequest {
  readonly type: string;
  readonly name: string;
  readonly inputs: ValueMap;
  /** As the engine sent it: options of the component, and where its resources are registered. */
  readonly message: Providers.ConstructRequest;
}

/** A resource that a component is made of. */
export interface Part {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly inputs: ValueMap;
  /** URNs of the resources that have to be there first. */
  readonly dependencies: readonly string[];
  /** The provider that makes it, `urn::id`; undefined for the default one. */
  readonly provider: string | undefined;
  readonly version: string;
}

export interface Registered {
  readonly urn: string;
  /** Empty while it is not known. */
  readonly id: string;
}

const maxMessageBytes = 400 * 1024 * 1024;

/** Where a running program registers its resources, spoken to for a component. */
export class Monitor {
  readonly #client: InstanceType<typeof resourceService.ResourceMonitorClient>;
  readonly #signal: AbortSignal;

  constructor(endpoint: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#client = new resourceService.ResourceMonitorClient(endpoint, grpc.credentials.createInsecure(), {
      // The engine is on this machine: no proxy may stand between.
      "grpc.enable_http_proxy": 0,
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": maxMessageBytes,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Registers the component itself. */
  async component({ type, name, message }: ConstructRequest): Promise<string> {
    const request = newRequest(type, name, message.getParent(), false)
      .setDependenciesList(message.getDependenciesList())
      .setIgnorechangesList(message.getIgnorechangesList())
      .setReplaceonchangesList(message.getReplaceonchangesList())
      .setAliasesList(message.getAliasesList())
      .setDeletedwith(message.getDeletedwith());
    const inputs = message.getInputs();
    if (inputs !== undefined) request.setObject(inputs);
    if (message.hasProtect()) request.setProtect(message.getProtect() === true);
    if (message.hasRetainondelete()) request.setRetainondelete(message.getRetainondelete() === true);
    const dependencies = request.getPropertydependenciesMap();
    message.getProvidersMap().forEach((provider, of) => {
      request.getProvidersMap().set(of, provider);
    });
    message.getInputdependenciesMap().forEach((on, property) => {
      const { PropertyDependencies } = resourceProto.RegisterResourceRequest;
      dependencies.set(property, new PropertyDependencies().setUrnsList(on.getUrnsList()));
    });
    return (await this.#register(request)).urn;
  }

  /** Registers a resource of it, and waits until it is made, or in a preview planned. */
  part(part: Part): Promise<Registered> {
    const request = newRequest(part.type, part.name, part.parent, true)
      .setObject(structProto.Struct.fromJavaScript(encodeMap(part.inputs)))
      .setDependenciesList([...part.dependencies])
      .setVersion(part.version);
    if (part.provider !== undefined) request.setProvider(part.provider);
    return this.#register(request);
  }

  /** Says what came of the component. */
  async complete(urn: string, outputs: Record<string, EncodedValue>): Promise<void> {
    const request = new resourceProto.RegisterResourceOutputsRequest()
      .setUrn(urn)
      .setOutputs(structProto.Struct.fromJavaScript(outputs));
    await this.#call((callback) => this.#client.registerResourceOutputs(request, callback));
  }

  async #register(request: Messages.RegisterResourceRequest): Promise<Registered> {
    const made = await this.#call<Messages.RegisterResourceResponse>((callback) =>
      this.#client.registerResource(request, callback),
    );
    return { urn: made.getUrn(), id: made.getId() };
  }

  #call<T>(
    start: (callback: (error: grpc.ServiceError | null, answer: T) => void) => grpc.ClientUnaryCall,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#signal.throwIfAborted();
      const call = start((error, answer) => {
        this.#signal.removeEventListener("abort", cancel);
        if (error === null) resolve(answer);
        else reject(new Error(error.details || error.message, { cause: error }));
      });
      const cancel = () => call.cancel();
      this.#signal.addEventListener("abort", cancel, { once: true });
    });
  }
}

function newRequest(
  type: string,
  name: string,
  parent: string,
  custom: boolean,
): Messages.RegisterResourceRequest {
  return new resourceProto.RegisterResourceRequest()
    .setType(type)
    .setName(name)
    .setParent(parent)
    .setCustom(custom)
    .setAcceptsecrets(true)
    .setAcceptresources(true)
    .setAliasspecs(true)
    .setSupportspartialvalues(true)
    .setSupportsresultreporting(false);
}
