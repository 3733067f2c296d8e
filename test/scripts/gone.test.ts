import { describe, expect, it } from "vitest";
import { forgetGone, listed, lookForGone } from "../../scripts/lib/gone.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { emptyState, type State, type StateResource } from "../../scripts/lib/state.ts";
import { pages, refusal, testContext, testSession } from "./support.ts";

const groupId = testSession("dev").resolved.ids.resourceGroup;
const recorded = (type: string, id: string): StateResource => ({ urn: `urn::${type}::${id}`, type, id });
const vault = recorded("azure-native:keyvault:Vault", `${groupId}/providers/Microsoft.KeyVault/vaults/kv`);
const app = recorded("azure-native:web:WebApp", `${groupId}/providers/Microsoft.Web/sites/app`);
const state = (resources: StateResource[]): State => ({ ...emptyState, resources });

describe("what a group's list tells of", () => {
  it("is what is directly in it, whatever the letter case, and what Kiln can ask for by itself", () => {
    const shouted = { ...app, id: app.id?.toUpperCase() ?? "" };
    const others = [
      recorded("azure-native:resources:ResourceGroup", groupId),
      recorded(
        "azure-native:cognitiveservices:Deployment",
        `${groupId}/providers/Microsoft.CognitiveServices/accounts/a/deployments/d`,
      ),
      recorded("azure-native:keyvault:Vault", `${groupId}2/providers/Microsoft.KeyVault/vaults/kv`),
      recorded("azure-native:keyvault:Secret", `${groupId}/providers/Microsoft.KeyVault/other/kv`),
      recorded("command:local:Command", "abc"),
      { urn: "n", type: "azure-native:web:WebApp" },
    ];
    expect(listed(state([vault, shouted, ...others]), groupId)).toEqual([vault, shouted]);
  });

  it("takes a group's name for a name, not for a pattern", () => {
    const odd = "/subscriptions/s/resourceGroups/rg.(dev)";
    const inOdd = recorded("azure-native:web:WebApp", `${odd}/providers/Microsoft.Web/sites/app`);
    const alike = { ...inOdd, id: inOdd.id?.replace("rg.", "rgx") ?? "" };
    expect(listed(state([inOdd, alike]), odd)).toEqual([inOdd]);
  });
});

/** A group with this list, in which asking for one by its id gives this. */
function cloud(list: readonly string[] | Error, byId: Record<string, number> = {}) {
  const asked: string[] = [];
  const resources = {
    listByResourceGroup: () => {
      asked.push("list");
      if (list instanceof Error) throw list;
      return pages(list.map((id) => ({ id })));
    },
    getById: async (id: string) => {
      asked.push(id);
      if (byId[id] !== undefined && byId[id] !== 200) throw refusal(byId[id]);
      return { properties: {} };
    },
  };
  const session = testSession("dev", { clients: { resources: async () => ({ resources }) } });
  return { session, asked };
}

describe("looking for what someone deleted", () => {
  it("asks for one list, where everything is in it, in any letter case", async () => {
    const { session, asked } = cloud([vault.id ?? "", app.id?.toUpperCase() ?? "", "/else"]);
    expect(await lookForGone(testContext(), session, state([vault, app]))).toEqual([]);
    expect(asked).toEqual(["list"]);
  });

  it("takes for gone only what is not there by itself either: lists lag behind", async () => {
    const { session, asked } = cloud([], { [vault.id ?? ""]: 404, [app.id ?? ""]: 200 });
    expect(await lookForGone(testContext(), session, state([vault, app]))).toEqual([vault]);
    expect(asked).toEqual(["list", vault.id, app.id]);
  });

  it("asks for the models' deployments, which are in no list", async () => {
    const deployment = recorded(
      "azure-native:cognitiveservices:Deployment",
      `${groupId}/providers/Microsoft.CognitiveServices/accounts/a/deployments/d`,
    );
    for (const [status, gone] of [
      [200, []],
      [404, [deployment]],
    ] as const) {
      const { session, asked } = cloud([vault.id ?? ""], { [deployment.id ?? ""]: status });
      expect(await lookForGone(testContext(), session, state([vault, deployment]))).toEqual(gone);
      expect(asked.sort()).toEqual([deployment.id, "list"].sort());
    }
  });

  it("takes everything for gone where the group is", async () => {
    const { session } = cloud(refusal(404), { [vault.id ?? ""]: 404 });
    expect(await lookForGone(testContext(), session, state([vault]))).toEqual([vault]);
  });

  it("asks nothing where nothing is on record, or a killed run is to be healed", async () => {
    const { session, asked } = cloud([]);
    expect(await lookForGone(testContext(), session, emptyState)).toEqual([]);
    const pending = [{ resource: app, type: "creating" }];
    expect(await lookForGone(testContext(), session, { ...state([vault]), pending })).toEqual([]);
    expect(asked).toEqual([]);
  });

  it.each([
    ["the list", cloud(refusal(403))],
    ["one of them", cloud([], { [vault.id ?? ""]: 403 })],
  ])("says that it cannot be told when %s is refused, and takes nothing for gone", async (_, { session }) => {
    const context = testContext();
    expect(await lookForGone(context, session, state([vault]))).toEqual([]);
    expect(context.out.warned).toEqual([
      expect.stringMatching(
        /^Whether everything on record is still there could not be told: .*\(AuthorizationFailed\)\.$/,
      ),
    ]);
  });
});

describe("forgetting it", () => {
  it("reads what is there, and says what is gone", async () => {
    const done: string[] = [];
    const handle = {
      run: async (args: readonly string[]) => void done.push(args.join(" ")),
      read: async () => void done.push("read"),
    } as unknown as StackHandle;
    const context = testContext();
    await forgetGone(context, handle, []);
    expect(done).toEqual([]);
    await forgetGone(context, handle, [vault, app]);
    expect(done).toEqual(["refresh --yes --skip-preview", "read"]);
    expect(context.out.warned).toEqual([
      expect.stringMatching(/^Vault .*, WebApp .*: on record, but gone from the cloud\./),
    ]);
  });
});
