import { mkdirSync, readFileSync } from "node:fs";
import { setDefaultCACertificates } from "node:tls";
import { pathToFileURL } from "node:url";
import type { TokenCredential } from "@azure/identity";
import type { GitHubAccess, SandboxStatus } from "../../sandbox/client/index.ts";
import type { ClusterAccess } from "./cluster/client.ts";
import { KilnError } from "./errors.ts";
import type { ClientOptions } from "./keys/azure-account-keys.ts";
import type { KilnPaths } from "./paths.ts";
import { rejectOn } from "./signals.ts";

export const clouds = ["sandbox", "azure"] as const;
export type CloudName = (typeof clouds)[number];

/** How a cloud is reached; the one thing in which the real cloud and the sandbox differ. */
export interface CloudTarget {
  readonly name: CloudName;
  readonly subscriptionId: string;
  readonly tenantId: string | undefined;
  readonly credential: TokenCredential;
  /** Options of every Azure SDK client. */
  readonly clientOptions: ClientOptions;
  /** What the engine's process gets beside the user's own environment. */
  readonly engineEnv: Readonly<Record<string, string>>;
  /**
   * Whether the engine reads a copy of the stack's configuration, without the user's secrets provider: the sandbox has
   * a state backend of its own, and must leave the checked-in file alone.
   */
  readonly ownBackend: boolean;
  /**
   * What encrypts secrets in the state of a stack that is made, as `pulumi stack init` names it.
   * @default what the stack's own file says, else the backend
   */
  readonly secretsProvider?: string;
  /** The folder of that backend. */
  readonly stateFolder?: string;
  /** The cluster, where the environment has anything in one. */
  readonly cluster?: ClusterAccess;
  /** Folder with the `kubectl` that belongs to the cluster, where the cluster is the sandbox's. */
  readonly kubectlDir?: string;
  /** The cloud's time: that of a sandbox can be scaled and advanced. */
  readonly now: () => Date;
  /** The sandbox, when it is one. */
  readonly sandbox?: SandboxStatus;
  /** Who one is in the sandbox. */
  readonly principal?: string;
}

/** Not a secret: a sandbox's state holds none, and everyone's files must open on every machine. */
const sandboxPassphrase = "kiln-sandbox";

/**
 * Makes contact with a cloud: starts the sandbox where it is not running, or checks the sign-in to Azure, before
 * anything is touched.
 */
export async function openTarget(
  name: CloudName,
  paths: KilnPaths,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  needs: { readonly azure: boolean } = { azure: true },
): Promise<CloudTarget> {
  if (name === "sandbox") return openSandbox(paths, env, signal);
  return needs.azure ? openAzure(env, signal) : withoutAzure(env);
}

async function openSandbox(
  paths: KilnPaths,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CloudTarget> {
  const { SandboxClient, clientEnvironment, sandboxPaths } = await import("../../sandbox/client/index.ts");
  const client = new SandboxClient(paths.sandbox, signal);
  const status = await client.start();
  const principals = status.principals as {
    name: string;
    clientId: string;
    assertionFile: string;
    github?: GitHubAccess;
  }[];
  // Whoever set up the shell as another principal of the sandbox is that principal here too.
  const self =
    principals.find((each) => each.clientId === env.AZURE_CLIENT_ID) ??
    principals.find((each) => each.name === "owner");
  const { proxy, caCertificate, tenantId, subscriptionId } = status;
  if (!self || !proxy || !caCertificate || !tenantId || !subscriptionId) {
    throw new KilnError({
      code: "SandboxBroken",
      message: "the sandbox does not say how to reach it",
      cause: `Its answer lacks a part: ${Object.keys(status).join(", ")}.`,
      next: "Stop it (`kiln sandbox stop`) and run this again.",
    });
  }
  const ports = (await client.control("POST", "/providers", {
    clientId: self.clientId,
    projectDir: paths.project,
  })) as { azureNative: number; command: number; github: number; kubernetes: number };
  // Nothing but the sandbox is to be reached, so nothing but its certificates is trusted.
  setDefaultCACertificates([readFileSync(caCertificate, "utf8")]);
  const url = new URL(proxy);
  const clientOptions = {
    proxyOptions: {
      host: `${url.protocol}//${url.hostname}`, // An address with the scheme's own port does not name it.
      port: Number(url.port || 80),
    },
  };
  const state = sandboxPaths(paths.sandbox).state;
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return {
    name: "sandbox",
    subscriptionId,
    tenantId,
    credential: onDemand(async () => {
      const { WorkloadIdentityCredential } = await import("@azure/identity");
      return new WorkloadIdentityCredential({
        ...clientOptions,
        tenantId,
        clientId: self.clientId,
        tokenFilePath: self.assertionFile,
      });
    }),
    clientOptions,
    ownBackend: true,
    stateFolder: state,
    sandbox: status,
    principal: self.name,
    now: sandboxTime(status),
    engineEnv: {
      ...clientEnvironment({
        proxy,
        caCertificate,
        tenantId,
        subscriptionId,
        clientId: self.clientId,
        assertionFile: self.assertionFile,
        ...(self.github === undefined ? {} : { github: self.github }),
      }),
      // Beside each file the engine would write one of metadata, and not at once: a killed one leaves half of it, which no
      // later one can read.
      PULUMI_BACKEND_URL: `${pathToFileURL(state).href}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: sandboxPassphrase,
      PULUMI_HOME: paths.pulumiHome,
      PULUMI_DEBUG_PROVIDERS: `azure-native:${ports.azureNative},command:${ports.command},github:${ports.github},kubernetes:${ports.kubernetes}`,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  };
}

/** The sandbox's time, which it told a moment ago, going on at its own pace. */
function sandboxTime({ clock }: SandboxStatus): () => Date {
  const told = performance.now();
  return () =>
    clock === undefined
      ? new Date()
      : new Date(Date.parse(clock.now) + (performance.now() - told) * clock.scale);
}

/** A credential that is made when a token is first asked for: its library is slow to load, and a preview asks for none. */
function onDemand(make: () => Promise<TokenCredential>): TokenCredential {
  let made: Promise<TokenCredential> | undefined;
  return {
    getToken: async (scopes, options) => {
      made ??= make();
      return (await made).getToken(scopes, options);
    },
  };
}

/** How long all ways of signing in may take together, in milliseconds. */
const signInMs = 30_000;

async function openAzure(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<CloudTarget> {
  const subscriptionId = env.AZURE_SUBSCRIPTION_ID || env.ARM_SUBSCRIPTION_ID;
  const { DefaultAzureCredential } = await import("@azure/identity");
  const credential = new DefaultAzureCredential();
  const late = AbortSignal.timeout(signInMs);
  const end = AbortSignal.any([signal, late]);
  try {
    // Not every way of signing in listens to the signal.
    const token = credential.getToken("https://management.azure.com/.default", { abortSignal: end });
    await Promise.race([rejectOn(end), token]);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new KilnError({
      code: "NotSignedIn",
      message: "nobody is signed in to Azure",
      cause: `No way of signing in worked:\n${late.aborted ? `none answered within ${signInMs / 1000} s` : reasonsOf(error)}`,
      next: "Sign in with `az login`, or in a pipeline by OIDC (`azure/login`), then run it again. Nothing was touched.",
    });
  }
  if (!subscriptionId) {
    throw new KilnError({
      code: "NoSubscription",
      message: "no Azure subscription is chosen",
      cause:
        "Neither AZURE_SUBSCRIPTION_ID nor ARM_SUBSCRIPTION_ID is set, and names depend on the subscription.",
      next: "Set AZURE_SUBSCRIPTION_ID (`az account show --query id`), then run it again. Nothing was touched.",
    });
  }
  return azureTarget(env, subscriptionId, credential);
}

/** Names of what there is none of are made of it, where an environment is all in a cluster. */
const noSubscription = "00000000-0000-0000-0000-000000000000";

/**
 * For an environment that has nothing in Azure: nobody need be signed in there. Should something of it be on record all the
 * same, whoever asks for it signs in then.
 */
function withoutAzure(env: NodeJS.ProcessEnv): CloudTarget {
  const subscriptionId = env.AZURE_SUBSCRIPTION_ID || env.ARM_SUBSCRIPTION_ID || noSubscription;
  const credential = onDemand(async () => {
    const { DefaultAzureCredential } = await import("@azure/identity");
    return new DefaultAzureCredential();
  });
  return azureTarget(env, subscriptionId, credential);
}

function azureTarget(
  env: NodeJS.ProcessEnv,
  subscriptionId: string,
  credential: TokenCredential,
): CloudTarget {
  return {
    name: "azure",
    subscriptionId,
    tenantId: env.AZURE_TENANT_ID || undefined,
    credential,
    clientOptions: {},
    ownBackend: false,
    now: () => new Date(),
    ...secretsBy(env.KILN_SECRETS_PROVIDER),
    engineEnv: {
      ARM_SUBSCRIPTION_ID: subscriptionId,
      // What an earlier run made before it was killed is taken over, as in the sandbox: since v4.29 the provider refuses it.
      PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true",
      // Most of the time is spent waiting for what gets ready by itself, a model for minutes; the engine would wait for four of them a
      // processor. (In the sandbox, where all of it is work of this machine, more at once only takes longer.)
      PULUMI_PARALLEL: env.PULUMI_PARALLEL || "32",
      // A pipeline's checkout is new each time and has no file of the stack's: the state itself says what encrypts it.
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  };
}

function secretsBy(provider: string | undefined): Pick<CloudTarget, "secretsProvider"> {
  return provider ? { secretsProvider: provider } : {};
}

/** What each way of signing in said, a line for each. */
function reasonsOf(error: unknown): string {
  const { errors } = error as { errors?: unknown };
  const all: unknown[] = Array.isArray(errors) && errors.length > 0 ? errors : [error];
  const lines = all.map((each) => (each instanceof Error ? each.message : String(each)).split("\n")[0] ?? "");
  return [...new Set(lines.map((line) => line.replace(/\s*To troubleshoot, visit \S+/, "")))].join("\n");
}
