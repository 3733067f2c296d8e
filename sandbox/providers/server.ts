import * as grpc from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type { RetryPolicy } from "./arm-client.ts";
import { AzureNative } from "./azure-native.ts";
import { Command } from "./command.ts";
import type { GetToken } from "./functions.ts";
import { GitHubProvider } from "./github/provider.ts";
import { KubernetesProvider } from "./kubernetes/provider.ts";
import type { Provider } from "./provider.ts";
import { serviceOf } from "./rpc.ts";
import { Sessions } from "./sessions.ts";
import type { ArmTransport } from "./transport.ts";

export interface ProviderPorts {
  readonly azureNative: number;
  readonly command: number;
  readonly github: number;
  readonly kubernetes: number;
}

export interface ProvidersOptions {
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Sends what the real provider would send, as the session's principal. */
  readonly armTransport: ArmTransport;
  /** Tokens of the session's principal, for `getClientConfig` and `getClientToken`. */
  readonly getToken: GetToken;
  /** Whose repositories on GitHub, where the program does not say. */
  readonly gitHubOwner: string;
  /** The path of the principal's kubeconfig; undefined while the control plane is not running. */
  readonly kubeconfig?: () => string | undefined;
  /** What commands get in their environment beside PATH, HOME, TMPDIR, LANG and their own `environment`. */
  readonly commandEnv: () => Promise<Record<string, string>> | Record<string, string>;
  /** Where commands run that name no `dir`; they find it in KILN_PROJECT_DIR. */
  readonly projectDir: string;
  /** @default any free port for each (0) */
  readonly ports?: Partial<ProviderPorts>;
  readonly retry?: RetryPolicy;
}

export interface ProviderServer {
  /** For `PULUMI_DEBUG_PROVIDERS=azure-native:<azureNative>,command:<command>,github:<github>,kubernetes:<kubernetes>`. */
  readonly ports: ProviderPorts;
  /** Aborts what is under way, kills running commands, and frees the ports. */
  close(): Promise<void>;
}

const host = "127.0.0.1";
/** What Pulumi's own SDKs allow: a large stack's state passes in one message. */
const maxMessageBytes = 400 * 1024 * 1024;

/**
 * Serves the providers `azure-native`, `command`, `github` and `kubernetes` on loopback, for any number of engines at once.
 * @throws Error when a port is taken.
 */
export async function serveProviders(options: ProvidersOptions): Promise<ProviderServer> {
  const { ports: wanted = {} } = options;
  const command = new Command(options);
  const kubernetes = new KubernetesProvider({
    kubeconfig: options.kubeconfig ?? (() => undefined),
    projectDir: options.projectDir,
  });
  const providers = {
    azureNative: new AzureNative({ ...options, transport: options.armTransport }),
    command,
    github: new GitHubProvider({
      transport: options.armTransport,
      owner: options.gitHubOwner,
      ...(options.retry === undefined ? {} : { retry: options.retry }),
    }),
    kubernetes,
  } as const satisfies Record<keyof ProviderPorts, Provider>;
  const serving = await Promise.allSettled(
    Object.entries(providers).map(async ([name, provider]) => {
      const served = await serve(provider, wanted[name as keyof ProviderPorts] ?? 0);
      return { name, ...served };
    }),
  );
  const served = serving.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const close = async () => {
    await Promise.all(served.map((each) => each.close()));
    kubernetes.close();
    await command.idle();
  };
  const failed = serving.find((each) => each.status === "rejected");
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const ports = Object.fromEntries(served.map(({ name, port }) => [name, port]));
  return { ports: ports as unknown as ProviderPorts, close };
}

async function serve(provider: Provider, wanted: number): Promise<{ port: number; close(): Promise<void> }> {
  const sessions = new Sessions();
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
  });
  server.addService(providerService.ResourceProviderService, serviceOf(provider, sessions));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${wanted}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(
          new Error(`the ${provider.name} provider cannot listen on ${host}:${wanted}: ${error.message}`),
        );
    });
  });
  return {
    port,
    close: async () => {
      sessions.close();
      server.forceShutdown();
    },
  };
}
