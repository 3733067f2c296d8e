import { createRequire } from "node:module";
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/**
 * A provider that accepts any resource of any package: it checks nothing, keeps nothing, and gives every input back as an
 * output. For tests of what stands before a provider, which policies do.
 */
export interface EchoProvider {
  readonly port: number;
  /** Value for the engine's `PULUMI_DEBUG_PROVIDERS`, by which it attaches these packages to this provider. */
  attach(...packages: string[]): string;
  stop(): void;
}

/** The part of the generated classes that is used here; @pulumi/pulumi ships them without declarations. */
interface Message {
  getTok(): string;
  getNews(): Message;
  getProperties(): Message;
  getUrn(): string;
  getId(): string;
  toJavaScript(): Record<string, unknown>;
}
type MessageClass = new () => Record<string, (value: unknown) => void>;

const require = createRequire(import.meta.url);

/**
 * Serves an echo provider on loopback, on a free port.
 *
 * @param outputsOf what a resource gives back beside its inputs, in previews too. @default nothing
 * @param invoked what a function of a provider answers. @default nothing
 */
export async function startEchoProvider(
  outputsOf: (type: string, inputs: Record<string, unknown>) => Record<string, unknown> = () => ({}),
  invoked: (token: string) => Record<string, unknown> = () => ({}),
): Promise<EchoProvider> {
  const proto = require("@pulumi/pulumi/proto/provider_pb.js") as Record<string, MessageClass>;
  const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb.js") as Record<string, MessageClass>;
  const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
    Struct: { fromJavaScript(value: object): unknown };
  };
  const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js") as { Empty: new () => unknown };
  const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb.js") as {
    ResourceProviderService: ServiceDefinition;
  };

  const fill = (name: string, fields: Record<string, unknown>, from = proto): unknown => {
    const Class = from[name];
    if (Class === undefined) throw new Error(`the engine's protocol has no ${name}`);
    const message = new Class();
    for (const [field, value] of Object.entries(fields)) message[`set${field}`]?.(value);
    return message;
  };
  // Shaped like an Azure id, which some programs take apart.
  const idOf = (request: Message) => {
    const [type, name] = request.getUrn().split("::").slice(-2);
    const scope = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/echo/providers";
    return `${scope}/Echo.Echo/${type?.split(":").at(-1)}/${name}`;
  };
  const outputs = (request: Message) => {
    const inputs = request.getProperties().toJavaScript();
    return Struct.fromJavaScript({ ...inputs, ...outputsOf(request.getUrn().split("::")[2] ?? "", inputs) });
  };

  const answers: Record<string, (request: Message) => unknown> = {
    attach: () => new Empty(),
    cancel: () => new Empty(),
    getPluginInfo: () => fill("PluginInfo", { Version: "1.0.0" }, { ...(PluginInfo && { PluginInfo }) }),
    checkConfig: (request) => fill("CheckResponse", { Inputs: request.getNews() }),
    diffConfig: () => fill("DiffResponse", {}),
    configure: () =>
      fill("ConfigureResponse", { Acceptsecrets: true, Supportspreview: true, Acceptresources: true }),
    invoke: (request) => fill("InvokeResponse", { Return: Struct.fromJavaScript(invoked(request.getTok())) }),
    check: (request) => fill("CheckResponse", { Inputs: request.getNews() }),
    diff: () => fill("DiffResponse", {}),
    create: (request) => fill("CreateResponse", { Id: idOf(request), Properties: outputs(request) }),
    update: (request) => fill("UpdateResponse", { Properties: request.getNews() }),
    read: (request) => fill("ReadResponse", { Id: request.getId(), Properties: request.getProperties() }),
    delete: () => new Empty(),
  };
  const handlers: UntypedServiceImplementation = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      name,
      (call: { request: Message }, done: sendUnaryData<unknown>) => {
        try {
          done(null, answer(call.request));
        } catch (error) {
          done(error as Error);
        }
      },
    ]),
  );

  const server = new Server();
  server.addService(ResourceProviderService, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    port,
    attach: (...packages) => packages.map((name) => `${name}:${port}`).join(","),
    stop: () => server.forceShutdown(),
  };
}
