import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { armIds, emptyState, expectedId, parseState, type StateResource } from "../../scripts/lib/state.ts";

const subscription = "00000000-1111-2222-3333-444444444444";
const group = `/subscriptions/${subscription}/resourceGroups/rg`;
const vault = { urn: "urn:vault", type: "azure-native:keyvault:Vault", custom: true, id: `${group}/V` };

describe("reading an exported record", () => {
  it("takes the cloud's resources, what is pending, and the stack's outputs", () => {
    const stack = {
      urn: "urn:stack",
      type: "pulumi:pulumi:Stack",
      custom: false,
      outputs: { location: "eastus" },
    };
    const component = { urn: "urn:c", type: "kiln:azure:KeyVault", custom: false };
    const provider = { urn: "urn:p", type: "pulumi:providers:azure-native", custom: true, id: "x" };
    const pending = [{ resource: { urn: "urn:app", type: "azure-native:web:WebApp" }, type: "creating" }];
    const exported = {
      version: 3,
      deployment: { resources: [stack, component, provider, vault], pending_operations: pending },
    };
    expect(parseState(JSON.stringify(exported))).toEqual({
      resources: [vault],
      pending,
      outputs: { location: "eastus" },
    });
  });

  it("keeps what it does not know of a resource", () => {
    const odd = { ...vault, parent: "urn:c", protect: true, unknown: [1] };
    expect(parseState(JSON.stringify({ deployment: { resources: [odd] } })).resources).toEqual([odd]);
  });

  it.each(["{}", '{"deployment":null}', '{"deployment":{"resources":null,"pending_operations":null}}'])(
    "%s holds nothing",
    (text) => {
      expect(parseState(text)).toEqual(emptyState);
    },
  );

  it.each(["", "not json", '{"deployment":{"resources":[{"type":"t"}]}}'])(
    "refuses %j rather than take it for an empty one",
    (text) => {
      expect(() => parseState(text)).toThrow();
    },
  );
});

it("the ARM ids on record are in lower case, without ids that are none of ARM's", () => {
  const resources = [vault, { ...vault, id: "abc123" }, { urn: "u", type: "t" }];
  expect(armIds({ ...emptyState, resources })).toEqual(new Set([`${group}/V`.toLowerCase()]));
});

describe("the id that a create would have given", () => {
  const cases: [type: string, inputs: Record<string, unknown>, id: string][] = [
    ["azure-native:resources:ResourceGroup", {}, group],
    [
      "azure-native:cognitiveservices:Account",
      { accountName: "a" },
      `${group}/providers/Microsoft.CognitiveServices/accounts/a`,
    ],
    [
      "azure-native:cognitiveservices:Deployment",
      { accountName: "a", deploymentName: "d" },
      `${group}/providers/Microsoft.CognitiveServices/accounts/a/deployments/d`,
    ],
    ["azure-native:keyvault:Vault", { vaultName: "v" }, `${group}/providers/Microsoft.KeyVault/vaults/v`],
    [
      "azure-native:managedidentity:UserAssignedIdentity",
      { resourceName: "i" },
      `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i`,
    ],
    [
      "azure-native:operationalinsights:Workspace",
      { workspaceName: "w" },
      `${group}/providers/Microsoft.OperationalInsights/workspaces/w`,
    ],
    [
      "azure-native:applicationinsights:Component",
      { resourceName: "c" },
      `${group}/providers/Microsoft.Insights/components/c`,
    ],
    [
      "azure-native:storage:StorageAccount",
      { accountName: "s" },
      `${group}/providers/Microsoft.Storage/storageAccounts/s`,
    ],
    ["azure-native:web:AppServicePlan", { name: "p" }, `${group}/providers/Microsoft.Web/serverfarms/p`],
    ["azure-native:web:WebApp", { name: "f" }, `${group}/providers/Microsoft.Web/sites/f`],
    [
      "azure-native:authorization:RoleAssignment",
      { scope: `${group}/providers/Microsoft.KeyVault/vaults/v`, roleAssignmentName: "r" },
      `${group}/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/roleAssignments/r`,
    ],
  ];
  const made = (type: string, inputs: Record<string, unknown>): StateResource => ({
    urn: "urn",
    type,
    inputs: { resourceGroupName: "rg", ...inputs },
  });

  it.each(cases)("%s", (type, inputs, id) => {
    expect(expectedId(made(type, inputs), subscription)).toBe(id);
  });

  it.each(cases)("%s: none while one of its names is not known", (type, inputs) => {
    for (const name of Object.keys({ ...made(type, inputs).inputs })) {
      // A role assignment is named by its scope alone.
      if (name === "resourceGroupName" && "scope" in inputs) continue;
      expect(expectedId(made(type, { ...inputs, [name]: undefined }), subscription)).toBeUndefined();
      expect(expectedId(made(type, { ...inputs, [name]: { unknown: true } }), subscription)).toBeUndefined();
    }
  });

  it("is the one on record where there is one, and none for a type that leaves nothing behind", () => {
    expect(expectedId(vault, subscription)).toBe(vault.id);
    const command = { urn: "u", type: "command:local:Command", inputs: { name: "n" } };
    expect(expectedId(command, subscription)).toBeUndefined();
    expect(expectedId({ ...command, id: "cmd1" }, subscription)).toBeUndefined();
  });

  it("of a role assignment on the subscription begins with one slash", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom("", "/"), (name, slash) => {
        const scope = `${slash}/subscriptions/${subscription}`;
        expect(
          expectedId(
            made("azure-native:authorization:RoleAssignment", { scope, roleAssignmentName: name }),
            "",
          ),
        ).toBe(`/subscriptions/${subscription}/providers/Microsoft.Authorization/roleAssignments/${name}`);
      }),
    );
  });
});
