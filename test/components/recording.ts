import * as pulumi from "@pulumi/pulumi";

/** A resource as a program registered it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** URNs of what it depends on, components already expanded. */
  readonly dependsOn: readonly string[];
  readonly ignoreChanges: readonly string[];
}

/** What a program registered, and what it asked the provider for. */
export interface Recording {
  readonly resources: Registration[];
  readonly calls: { readonly token: string; readonly inputs: Record<string, unknown> }[];
}

export const SUBSCRIPTION = "00000000-1111-2222-3333-444444444444";
export const DEPLOYER = {
  clientId: "11111111-aaaa-bbbb-cccc-000000000001",
  objectId: "22222222-aaaa-bbbb-cccc-000000000002",
  subscriptionId: SUBSCRIPTION,
  tenantId: "33333333-aaaa-bbbb-cccc-000000000003",
};

/** Outputs that the cloud adds to the inputs, by type. */
const OUTPUTS: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>> = {
  "azure-native:resources:ResourceGroup": (inputs) => ({ name: inputs.resourceGroupName }),
  "azure-native:cognitiveservices:Account": (inputs) => ({ name: inputs.accountName, ...born("2026-01-01") }),
  "azure-native:keyvault:Vault": (inputs) => ({ name: inputs.vaultName, ...born("2026-01-02") }),
  "azure-native:managedidentity:UserAssignedIdentity": (inputs) => ({
    name: inputs.resourceName,
    principalId: "principal",
    clientId: "client",
  }),
  "azure-native:applicationinsights:Component": () => ({
    connectionString: "IngestionEndpoint=https://in.example/",
  }),
  "azure-native:storage:StorageAccount": (inputs) => ({ name: inputs.accountName }),
  "kubernetes:serving.kserve.io/v1beta1:InferenceService": () => ({
    status: { url: "https://model.apps.example.com", address: { url: "http://model.inside" } },
  }),
  "kubernetes:route.openshift.io/v1:Route": () => ({
    status: { ingress: [{ host: "both.apps.example.com" }] },
  }),
  "azure-native:web:WebApp": (inputs) => ({
    name: inputs.name,
    identity: { ...(inputs.identity as object), principalId: "its-own-identity" },
  }),
};

function born(createdAt: string): Record<string, unknown> {
  return { systemData: { createdAt } };
}

/** Starts recording. Call it before the program is run; each call begins anew. */
export async function record(
  stack = "dev",
  answers: (token: string, inputs: Record<string, unknown>) => Record<string, unknown> = () => ({}),
): Promise<Recording> {
  const recording: Recording = { resources: [], calls: [] };
  let request: RegisterRequest | undefined;
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const dependsOn = request?.getDependenciesList() ?? [];
        const ignoreChanges = request?.getIgnorechangesList() ?? [];
        recording.resources.push({ type, name, inputs, dependsOn, ignoreChanges });
        return { id: idOf(type, name, inputs), state: { ...inputs, ...OUTPUTS[type]?.(inputs) } };
      },
      call({ token, inputs }) {
        recording.calls.push({ token, inputs });
        return token === "azure-native:authorization:getClientConfig" ? DEPLOYER : answers(token, inputs);
      },
    },
    "kiln",
    stack,
    false,
  );
  // Mocks are not told the options of a resource; they stand in the request that the mocked monitor is handed, which
  // calls newResource before it gives way.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (next, callback) => {
    request = next;
    return register(next, callback);
  };
  return recording;
}

interface RegisterRequest {
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
}

interface Monitor {
  registerResource(request: RegisterRequest, callback: unknown): unknown;
}

function idOf(type: string, name: string, inputs: Record<string, unknown>): string {
  const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${String(inputs.resourceGroupName)}`;
  const [, module, kind] = type.split(":");
  return type.startsWith("azure-native:") ? `${group}/providers/Microsoft.${module}/${kind}/${name}` : name;
}

/** The one registration of a type, or of a type and name. */
export function only(recording: Recording, type: string, name?: string): Registration {
  const found = recording.resources.filter(
    (each) => each.type === type && (name === undefined || each.name === name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const seen = recording.resources.map((each) => `${each.type} ${each.name}`).join("\n  ");
    throw new Error(`${found.length} registrations of ${type} ${name ?? ""}; there are\n  ${seen}`);
  }
  return first;
}

/** Waits until everything a program began is registered. */
export async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** Runs something that registers resources, to its end. */
export async function recorded(run: () => unknown, stack?: string): Promise<Recording> {
  const recording = await record(stack);
  await run();
  await settled();
  return recording;
}

export const TAGS = {
  env: "dev",
  service: "openai",
  repo: "example/kiln",
  owner: "platform",
  costCenter: "42",
};
