/** The app's settings, as App Service puts them into the environment. */
export interface Settings {
  /** `https://<account>.openai.azure.com/` */
  readonly endpoint: string | undefined;
  /** Name of the model's deployment. */
  readonly deployment: string | undefined;
  /** Version of the data plane. @default "2024-10-21" */
  readonly apiVersion: string;
  readonly key: Key;
}

/** The key, or why there is none. The key itself is shown nowhere. */
export type Key =
  | { readonly loaded: true; readonly value: string }
  | { readonly loaded: false; readonly reason: string };

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the settings. Never fails: what is missing is told by the health check, which must be able to run. */
export function readSettings(variables: Variables): Settings {
  return {
    endpoint: variables.AZURE_OPENAI_ENDPOINT || undefined,
    deployment: variables.AZURE_OPENAI_DEPLOYMENT || undefined,
    apiVersion: variables.AZURE_OPENAI_API_VERSION || "2024-10-21",
    key: readKey(variables.AZURE_OPENAI_API_KEY),
  };
}

/** Port to listen on: the Functions host's, else PORT, else any free one. @throws when it is not a port. */
export function readPort(variables: Variables): number {
  const text = variables.FUNCTIONS_CUSTOMHANDLER_PORT ?? variables.PORT ?? "0";
  const port = Number(text);
  if (text.trim() !== "" && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(
    `"${text}" is not a port; set FUNCTIONS_CUSTOMHANDLER_PORT or PORT to a number from 0 to 65535`,
  );
}

/** Why the app cannot call the model, or undefined when it can. */
export function missing(settings: Settings): string | undefined {
  if (!settings.key.loaded) return settings.key.reason;
  if (settings.endpoint === undefined) return "AZURE_OPENAI_ENDPOINT is not set.";
  if (!URL.canParse(settings.endpoint)) return "AZURE_OPENAI_ENDPOINT is not an address.";
  if (settings.deployment === undefined) return "AZURE_OPENAI_DEPLOYMENT is not set.";
  return undefined;
}

/** App Service hands over the text of a reference that it could not resolve, as if it were the value. */
function readKey(value: string | undefined): Key {
  const key = value?.trim() ?? "";
  if (key === "") return { loaded: false, reason: "AZURE_OPENAI_API_KEY is not set." };
  if (key.toLowerCase().startsWith("@microsoft.keyvault(")) {
    return { loaded: false, reason: "AZURE_OPENAI_API_KEY is a Key Vault reference that was not resolved." };
  }
  return { loaded: true, value: key };
}
