import { describe, expect, it } from "vitest";
import type { CloudClients } from "../../scripts/lib/clients.ts";
import { keepHalfMade, maybeMade } from "../../scripts/lib/half-made.ts";
import { OperationRecord } from "../../scripts/lib/operation.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { type ExportedState, emptyState } from "../../scripts/lib/state.ts";
import { diagnosticEvent, refusal, SUBSCRIPTION, stepEvent, testContext, urnOf } from "./support.ts";

const TYPE = "azure-native:keyvault:Vault";
const urn = urnOf(TYPE, "vault");
const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv`;
const inputs = { resourceGroupName: "rg", vaultName: "kv" };

/** The record of a run in which making the vault failed. */
function failing(message: string, asked: Record<string, unknown> = inputs): OperationRecord {
  const record = new OperationRecord();
  const failed = stepEvent("resOpFailedEvent", { type: TYPE, name: "vault" });
  Object.assign(failed.resOpFailedEvent?.metadata.new ?? {}, {
    urn,
    custom: true,
    provider: "its provider",
    inputs: asked,
  });
  record.handle(failed);
  record.handle(diagnosticEvent("error", message, urn));
  return record;
}

describe("what may have been made", () => {
  it("is what failed to be made after it was seen not to be there", () => {
    const record = failing('Status=409 Code="Conflict"');
    expect(maybeMade(record, emptyState)).toMatchObject([{ urn, type: TYPE, custom: true, inputs }]);
  });

  it.each([
    ["what was there before", failing(`cannot create already existing resource '${id}'`), emptyState],
    ["what is on record, half made", failing("failed"), { resources: [{ urn, type: TYPE, id }] }],
    ["what was asked for with a secret", failing("failed", { ...inputs, key: "[secret]" }), emptyState],
  ])("is not %s", (_, record, state) => {
    expect(maybeMade(record, state)).toEqual([]);
  });

  it.each([
    ["is there", { properties: {} }, [{ urn, id, inputs }]],
    ["is not there", refusal(404), []],
  ])("is taken over when it %s", async (_, answer, resources) => {
    let exported: ExportedState = { deployment: {} };
    const commands: string[] = [];
    const handle = {
      state: emptyState,
      read: async () => true,
      run: async (args: readonly string[]) => void commands.push(args[0] ?? ""),
      edit: async (change: (state: ExportedState) => ExportedState) => {
        exported = change(exported);
      },
    } as unknown as StackHandle;
    const asked = new Set<string>();
    const getById = async (which: string) => {
      asked.add(which);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const clients = { resources: async () => ({ resources: { getById } }) } as unknown as CloudClients;
    const context = testContext();
    await keepHalfMade(handle, failing("failed"), SUBSCRIPTION, clients, context);
    expect([...asked]).toEqual([id]);
    expect(exported.deployment.resources ?? []).toMatchObject(resources);
    expect(exported.deployment.pending_operations ?? []).toEqual([]);
    expect(commands).toEqual(resources.map(() => "refresh"));
    expect(context.out.warned).toEqual(
      resources.map(() => "Vault vault: made, though making it failed. Taking it over."),
    );
  });
});
