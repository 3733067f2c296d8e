import { z } from "zod";
import { backendOf } from "../backend.ts";
import { ask } from "../http.ts";
import { azureAccountKeys } from "../keys/azure-account-keys.ts";
import { azureAppReferences } from "../keys/azure-app.ts";
import { azureSecretStore } from "../keys/azure-secret-store.ts";
import type { State } from "../state.ts";
import type { CloudTarget } from "../target.ts";
import type { Consumer, RotationPorts } from "./ports.ts";

/** Version of the model's data plane that lists models. Source: "Models - List" of the Azure OpenAI data plane. */
const MODELS_VERSION = "2024-10-21";

/** Where the key of an environment that is up is kept, and who uses it. */
export interface KeyPlace {
  readonly resourceGroup: string;
  readonly account: string;
  readonly endpoint: string;
  readonly vault: string;
  readonly vaultUri: string;
  readonly secret: string;
  readonly apps: readonly AppPlace[];
}

interface AppPlace {
  readonly resourceGroup: string;
  readonly app: string;
  /** Whether the environment made it, rather than adopted it. */
  readonly made: boolean;
}

const outputsSchema = z.object({
  openaiAccountName: z.string(),
  openaiEndpoint: z.string(),
  keyVaultSecretUri: z.url(),
  functionAppName: z.string(),
  resourceGroupName: z.string(),
});

/**
 * Where the key is, told from the record: what was built, not what the configuration would build now. Undefined when the
 * environment is not up. Pure.
 * @param adopted the app that the configuration adopts, of which the record has no resource of its own
 */
export function keyPlace(
  state: State,
  adopted: { readonly name: string; readonly resourceGroup: string },
): KeyPlace | undefined {
  const outputs = outputsSchema.safeParse(state.outputs);
  if (!outputs.success) return undefined;
  const { openaiAccountName, openaiEndpoint, keyVaultSecretUri, functionAppName, resourceGroupName } =
    outputs.data;
  const url = new URL(keyVaultSecretUri);
  const made = state.resources.flatMap(({ type, id }) => {
    const site = type === "azure-native:web:WebApp" ? siteOf(id) : undefined;
    return site === undefined ? [] : [{ ...site, made: true }];
  });
  const same = (app: string) => app.toLowerCase() === functionAppName.toLowerCase();
  const others =
    !made.some(({ app }) => same(app)) && same(adopted.name)
      ? [{ app: adopted.name, resourceGroup: adopted.resourceGroup, made: false }]
      : [];
  return {
    resourceGroup: resourceGroupName,
    account: openaiAccountName,
    endpoint: openaiEndpoint,
    vault: url.hostname.split(".")[0] ?? "",
    vaultUri: `${url.origin}/`,
    secret: url.pathname.split("/")[2] ?? "",
    apps: [...made, ...others],
  };
}

function siteOf(id: string | undefined): { resourceGroup: string; app: string } | undefined {
  const found = /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Web\/sites\/([^/]+)$/i.exec(id ?? "");
  return found === null ? undefined : { resourceGroup: found[1] ?? "", app: found[2] ?? "" };
}

type Reach = Pick<CloudTarget, "credential" | "subscriptionId" | "clientOptions">;

/**
 * What a rotation touches, by the official SDKs. They repeat nothing by themselves: a rotation repeats what is worth it,
 * and looks before it does so whether it still may.
 */
export async function azureRotationPorts(
  { clientOptions: options, ...reach }: Reach,
  place: KeyPlace,
  signal: AbortSignal,
): Promise<RotationPorts> {
  const clientOptions = { ...options, retryOptions: { ...options.retryOptions, maxRetries: 0 } };
  const target = { ...reach, clientOptions };
  const { credential, subscriptionId } = target;
  const { resourceGroup, account, vaultUri, secret, endpoint } = place;
  const [keys, store, consumers] = await Promise.all([
    azureAccountKeys(credential, { subscriptionId, resourceGroup, account }, clientOptions),
    azureSecretStore(credential, vaultUri, secret, clientOptions),
    Promise.all(place.apps.map((each) => azureConsumer(target, each, signal))),
  ]);
  return {
    keys,
    secret: store,
    consumers,
    model: {
      knock: (key) =>
        ask(target, {
          url: new URL(`openai/models?api-version=${MODELS_VERSION}`, endpoint).href,
          method: "GET",
          headers: { "api-key": key.reveal() },
          timeoutMs: 30_000,
          signal,
        }),
    },
  };
}

async function azureConsumer(target: Reach, place: AppPlace, signal: AbortSignal): Promise<Consumer> {
  const { credential, subscriptionId, clientOptions } = target;
  const { app, resourceGroup, made } = place;
  return {
    app,
    made,
    references: await azureAppReferences(credential, { subscriptionId, resourceGroup, app }, clientOptions),
    ...backendOf(target, app, signal),
  };
}
