import { describe, expect, it } from "vitest";
import type { CloudClients } from "../../scripts/lib/clients.ts";
import { heal, provisioningState, restoreInputs, settlePending } from "../../scripts/lib/heal.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { type ExportedState, emptyState, type State, type StateResource } from "../../scripts/lib/state.ts";
import { testContext } from "./support.ts";

const subscription = "00000000-1111-2222-3333-444444444444";
const group = `/subscriptions/${subscription}/resourceGroups/rg`;
const stack: StateResource = { urn: "urn:stack", type: "pulumi:pulumi:Stack" };
const vault: StateResource = {
  urn: "urn:vault",
  type: "azure-native:keyvault:Vault",
  inputs: { resourceGroupName: "rg", vaultName: "kv" },
};
const vaultId = `${group}/providers/Microsoft.KeyVault/vaults/kv`;
const app: StateResource = {
  urn: "urn:app",
  type: "azure-native:web:WebApp",
  inputs: { resourceGroupName: "rg", name: "app" },
};
const appId = `${group}/providers/Microsoft.Web/sites/app`;

const exported = (
  resources: readonly StateResource[],
  pending: readonly { resource: StateResource; type: string }[],
): ExportedState => ({
  version: 3,
  deployment: { manifest: { version: "v3" }, resources, pending_operations: pending },
});

/** A resource that was taken over: not whole until it was read, in case nobody gets to reading it. */
const taken = (resource: StateResource, id: string) => ({
  ...resource,
  custom: true,
  id,
  initErrors: [expect.stringMatching(/killed while it made this/)],
});

describe("the record without pending operations", () => {
  it("has what was being created and exists, by its id, and keeps everything else", () => {
    const before = exported(
      [stack],
      [
        { resource: vault, type: "creating" },
        { resource: app, type: "creating" },
      ],
    );
    expect(settlePending(before, new Map([[vault.urn, vaultId]]))).toEqual({
      version: 3,
      deployment: {
        manifest: { version: "v3" },
        resources: [stack, taken(vault, vaultId)],
        pending_operations: [],
      },
    });
  });

  it("takes nothing over from updates and deletes: these resources are on record anyway", () => {
    const known = { ...vault, custom: true, id: vaultId };
    for (const type of ["updating", "deleting", "reading"]) {
      const before = exported([stack, known], [{ resource: { ...known, inputs: {} }, type }]);
      const after = settlePending(before, new Map([[vault.urn, vaultId]]));
      expect(after.deployment.resources).toEqual([stack, known]);
      expect(after.deployment.pending_operations).toEqual([]);
    }
  });

  it("has no more what was being deleted and is gone, unless something stands on it", () => {
    const gone = { ...vault, custom: true, id: vaultId };
    const pending = [{ resource: gone, type: "deleting" }];
    const left = (more: readonly StateResource[]) =>
      settlePending(exported([stack, gone, ...more], pending), new Map(), new Set([vaultId])).deployment
        .resources;
    expect(left([])).toEqual([stack]);
    const onIt = { ...app, dependencies: [vault.urn] };
    expect(left([onIt])).toEqual([stack, gone, onIt]);
    const below = { ...app, parent: vault.urn };
    expect(left([below])).toEqual([stack, gone, below]);
    // A successor has the same URN, and another id.
    const successor = { ...gone, id: `${vaultId}-new` };
    expect(left([successor])).toEqual([stack, successor]);
  });

  it("has a resource once, where a record of it was there already", () => {
    const half = { ...vault, custom: true, initErrors: ["half made"] };
    const before = exported([stack, half], [{ resource: vault, type: "creating" }]);
    const after = settlePending(before, new Map([[vault.urn, vaultId]]));
    expect(after.deployment.resources).toEqual([stack, taken(vault, vaultId)]);
  });

  it("of an empty record is empty", () => {
    expect(settlePending({ deployment: {} }, new Map())).toEqual({
      deployment: { resources: [], pending_operations: [] },
    });
  });
});

describe("the inputs after a refresh", () => {
  const before: State = {
    ...emptyState,
    pending: [
      { resource: vault, type: "creating" },
      { resource: app, type: "creating" },
    ],
  };

  it("are what the program asked for, for what was taken over only", () => {
    const read = { sku: "read from the cloud" };
    const after = restoreInputs(
      exported([stack, { ...vault, inputs: read }, { ...app, inputs: read }], []),
      before,
      new Map([[vault.urn, vaultId]]),
    );
    expect(after.deployment.resources).toEqual([stack, vault, { ...app, inputs: read }]);
    expect(after.version).toBe(3);
  });
});

/** A handle that keeps what is done to the record, and a cloud in which resources pass through states. */
function world(record: ExportedState, states: Record<string, (string | undefined | Error)[]>) {
  const done: string[] = [];
  let current = record;
  const handle = {
    edit: async (change: (state: ExportedState) => ExportedState) => {
      current = change(current);
      done.push("edit");
    },
    run: async (args: readonly string[]) => {
      done.push(args.join(" "));
      return "";
    },
  };
  const resources = {
    getById: async (id: string, apiVersion: string) => {
      done.push(`get ${id.split("/").at(-1)} ${apiVersion}`);
      const [state] = states[id] ?? [];
      if ((states[id]?.length ?? 0) > 1) states[id]?.shift();
      if (state instanceof Error) throw state;
      if (state === undefined) throw Object.assign(new Error("not found"), { statusCode: 404 });
      return { properties: { provisioningState: state } };
    },
    beginDeleteByIdAndWait: async (id: string) => void done.push(`delete ${id.split("/").at(-1)}`),
  };
  const clients = { resources: async () => ({ resources }) };
  return {
    done,
    record: () => current,
    heal: (state: State) => {
      const context = testContext();
      return heal(
        handle as unknown as StackHandle,
        state,
        subscription,
        clients as unknown as CloudClients,
        context,
      ).then((changed) => ({ changed, warned: context.out.warned }));
    },
  };
}

const state = (pending: State["pending"]): State => ({ ...emptyState, pending });

describe("healing", () => {
  it("does nothing when nothing is pending", async () => {
    const { heal: run, done } = world(exported([stack], []), {});
    expect(await run(state([]))).toEqual({ changed: false, warned: [] });
    expect(done).toEqual([]);
  });

  it("waits until the cloud is done, takes over what exists and forgets what does not", async () => {
    const pending = [
      { resource: vault, type: "creating" },
      { resource: app, type: "creating" },
      { resource: { urn: "urn:cmd", type: "command:local:Command" }, type: "creating" },
    ];
    const here = world(exported([stack], pending), { [vaultId]: ["RegisteringDns", "Succeeded"] });
    expect(await here.heal(state(pending))).toEqual({
      changed: true,
      warned: ["An earlier run was killed with 3 operation(s) under way; reading how they ended."],
    });
    expect(here.done).toEqual([
      "get kv 2024-11-01",
      "get kv 2024-11-01",
      "get app 2025-05-01",
      "edit",
      "refresh --yes --skip-preview",
      "edit",
    ]);
    expect(here.record().deployment).toMatchObject({
      resources: [stack, { ...vault, custom: true, id: vaultId }],
      pending_operations: [],
    });
  });

  it.each(["Failed", "canceled"])(
    "removes what ended as %s, since nothing can be built on it",
    async (end) => {
      const pending = [{ resource: vault, type: "creating" }];
      const here = world(exported([stack], pending), { [vaultId]: [end] });
      await here.heal(state(pending));
      expect(here.done).toContain("delete kv");
      expect(here.record().deployment.resources).toEqual([stack]);
    },
  );

  it("leaves what was being updated as it is on record: what the cloud says of it was just read", async () => {
    const known = { ...vault, custom: true, id: vaultId, inputs: { tags: "as recorded" } };
    const pending = [{ resource: { ...known, inputs: { tags: "as asked for" } }, type: "updating" }];
    const here = world(exported([stack, known], pending), { [vaultId]: ["Updating", "Succeeded"] });
    await here.heal(state(pending));
    expect(here.record().deployment).toMatchObject({ resources: [stack, known], pending_operations: [] });
  });

  it("does not take for gone what the cloud refuses to show", async () => {
    const pending = [{ resource: app, type: "creating" }];
    const refusal = Object.assign(new Error("forbidden"), { statusCode: 403 });
    const here = world(exported([stack], pending), { [appId]: [refusal] });
    await expect(here.heal(state(pending))).rejects.toThrow("forbidden");
    expect(here.done).not.toContain("edit");
  });
});

describe("the state of a resource", () => {
  const port = (answer: () => Promise<{ properties?: unknown }>) => ({ getById: answer });

  it.each([
    [{ properties: { provisioningState: "Creating" } }, "Creating"],
    [{ properties: {} }, "Succeeded"],
    [{ properties: { provisioningState: 5 } }, "Succeeded"],
    [{}, "Succeeded"],
  ])("of %j is %s", async (answer, expected) => {
    expect(
      await provisioningState(
        port(async () => answer),
        vaultId,
        "v",
      ),
    ).toBe(expected);
  });

  it("is none when there is no such resource, and a failure when the cloud fails", async () => {
    const refuse = (statusCode: number) =>
      port(() => Promise.reject(Object.assign(new Error(`status ${statusCode}`), { statusCode })));
    expect(await provisioningState(refuse(404), vaultId, "v")).toBeUndefined();
    await expect(provisioningState(refuse(500), vaultId, "v")).rejects.toThrow("status 500");
  });
});
