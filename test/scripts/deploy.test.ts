import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deploy, foresee } from "../../scripts/lib/deploy.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { emptyState, type State } from "../../scripts/lib/state.ts";
import { diagnosticEvent, pages, stepEvent, testContext, testSession } from "./support.ts";

const { resolved, owner } = testSession("dev");
const group = {
  urn: "g",
  type: "azure-native:resources:ResourceGroup",
  id: resolved.ids.resourceGroup,
  outputs: { location: resolved.location },
};

type Emit = (event: object) => void;

/** A stack whose operations are made up, in a cloud with these deleted namesakes. */
function world(
  options: {
    deletedAccounts?: readonly object[];
    deletedVaults?: readonly object[];
    state?: Partial<State>;
    up?: (emit: Emit) => Promise<void>;
    preview?: (emit: Emit) => Promise<void>;
  } = {},
) {
  const done: string[] = [];
  const purge = async (...what: string[]) => void done.push(`purge ${what.at(-2)} ${what.at(-1)}`);
  const lookedFor = vi.fn();
  const list = (items: readonly object[] = []) => {
    lookedFor();
    return pages(items);
  };
  const clients = {
    cognitive: async () => ({
      deletedAccounts: { list: () => list(options.deletedAccounts), beginPurgeAndWait: purge },
    }),
    keyVault: async () => ({
      vaults: { listDeleted: () => list(options.deletedVaults), purgeDeleted: purge },
    }),
  };
  const run =
    (what: "up" | "preview") =>
    async ({ onEvent, policyPacks }: { onEvent: Emit; policyPacks: string[] }) => {
      done.push(what);
      expect(policyPacks).toEqual([testSession("dev").paths.policies]);
      await options[what]?.(onEvent);
    };
  const handle = {
    state: { ...emptyState, resources: [group], ...options.state },
    stack: async () => ({ up: run("up"), preview: run("preview") }),
    pin: () => {},
    create: async () => void done.push("create"),
    read: async () => void done.push("read"),
  };
  const context = testContext();
  return {
    done,
    lookedFor,
    context,
    handle: handle as unknown as StackHandle,
    session: testSession("dev", { clients }),
  };
}

const account = {
  name: owner.accountName,
  location: "eastus",
  id: "/subscriptions/s/resourceGroups/rg-kiln-dev/deletedAccounts/a",
  tags: owner.tags,
};
const vault = { name: owner.vaultName, properties: { location: "eastus", tags: owner.tags } };

beforeEach(() => {
  vi.stubEnv("KILN_VAULT_CREATE_MODE", undefined);
  vi.stubEnv("KILN_LOCATION", undefined);
});
afterEach(() => void vi.unstubAllEnvs());

describe("bringing up", () => {
  it("runs the program under the policies, and gives what the stack tells and what was done", async () => {
    const { session, handle, context, done } = world({
      up: async (emit) => {
        const step = { type: "azure-native:keyvault:Vault", name: "vault" };
        emit(stepEvent("resourcePreEvent", step));
        emit(stepEvent("resOutputsEvent", step));
        const stack = { type: "pulumi:pulumi:Stack", name: "kiln-dev", outputs: { location: "eastus" } };
        emit(stepEvent("resOutputsEvent", stack));
        emit({ summaryEvent: { resourceChanges: { create: 1 } } });
      },
    });
    const limit = Error.stackTraceLimit;
    const { outputs, record } = await deploy(context, session, handle);
    expect(outputs).toEqual({ location: "eastus" });
    expect(record.changes.create).toBe(1);
    expect(done).toEqual(["up"]);
    expect(context.out.said).toEqual([expect.stringMatching(/^ {2}✓ created Vault vault/)]);
    expect(Error.stackTraceLimit).toBe(limit);
  });

  it("purges its own deleted namesakes first", async () => {
    const { session, handle, context, done } = world({ deletedAccounts: [account], deletedVaults: [vault] });
    await deploy(context, session, handle);
    expect(done).toEqual([`purge rg-kiln-dev ${owner.accountName}`, `purge ${owner.vaultName} eastus`, "up"]);
    expect(process.env.KILN_VAULT_CREATE_MODE).toBeUndefined();
  });

  it("has the program recover its own vault that nobody may purge", async () => {
    const kept = { ...vault, properties: { ...vault.properties, purgeProtectionEnabled: true } };
    const { session, handle, context, done } = world({ deletedVaults: [kept] });
    await deploy(context, session, handle);
    expect(done).toEqual(["up"]);
    expect(process.env.KILN_VAULT_CREATE_MODE).toBe("recover");
    expect(context.out.said[0]).toContain(`recovering the deleted vault ${owner.vaultName}`);
  });

  it("stops before anything is made where the name is someone else's", async () => {
    const foreign = { ...account, tags: { ...owner.tags, env: "prod" } };
    const { session, handle, context, done } = world({ deletedAccounts: [foreign] });
    await expect(deploy(context, session, handle)).rejects.toMatchObject({
      code: "NameTaken",
      message: expect.stringContaining(owner.accountName),
      cause: expect.stringContaining("rg-kiln-dev"),
      exitCode: 1,
    });
    expect(done).toEqual([]);
  });

  it("asks for deleted namesakes only while its names are not all in use", async () => {
    const recorded = (id: string) => ({ urn: id, type: "t", id });
    const { openaiAccount, vault: vaultId } = resolved.ids;
    const half = world({ state: { resources: [group, recorded(openaiAccount)] } });
    await deploy(half.context, half.session, half.handle);
    expect(half.lookedFor).toHaveBeenCalledTimes(2);
    const whole = world({ state: { resources: [group, recorded(openaiAccount), recorded(vaultId)] } });
    await deploy(whole.context, whole.session, whole.handle);
    expect(whole.lookedFor).not.toHaveBeenCalled();
  });

  it("fails of what the engine reported, and does not try again what stays", async () => {
    const { session, handle, context, done } = world({
      up: async (emit) => {
        emit(diagnosticEvent("error", 'Code="AuthorizationFailed" Message="no role"'));
        throw new Error("code: 255");
      },
    });
    await expect(deploy(context, session, handle)).rejects.toMatchObject({ code: "AuthorizationFailed" });
    expect(done).toEqual(["up"]);
  });

  it("tries again what passes by itself, unless it is interrupted", async () => {
    const interrupted = new AbortController();
    const { session, handle, context, done } = world({
      up: async (emit) => {
        emit(diagnosticEvent("error", 'Code="RequestConflict" Message="busy"'));
        throw new Error("code: 255");
      },
    });
    const warn = context.out.warn;
    context.out.warn = (line) => {
      warn(line);
      interrupted.abort();
    };
    await expect(deploy({ ...context, signal: interrupted.signal }, session, handle)).rejects.toThrow(
      /abort/i,
    );
    expect(context.out.warned).toEqual([expect.stringContaining("That passes by itself")]);
    expect(done).toEqual(["up"]);
  });
});

describe("a preview", () => {
  it("tells what would be done, and does nothing else", async () => {
    const { session, handle, context, done } = world({
      preview: async (emit) => {
        emit(stepEvent("resourcePreEvent", { type: "azure-native:keyvault:Vault", name: "vault" }));
        emit({ summaryEvent: { resourceChanges: { create: 1 } } });
      },
    });
    expect((await foresee(context, session, handle)).changes.create).toBe(1);
    expect(done).toEqual(["preview"]);
    expect(context.out.said).toEqual(["  + create Vault vault"]);
  });

  it("makes the stack where there is none, and looks again", async () => {
    let tries = 0;
    const { session, handle, context, done } = world({
      preview: async () => {
        if (++tries === 1) throw new Error("error: no stack named 'dev' found");
      },
    });
    await foresee(context, session, handle);
    expect(done).toEqual(["preview", "create", "preview"]);
  });

  it("fails of anything else", async () => {
    const { session, handle, context, done } = world({
      preview: () => Promise.reject(new Error("incorrect passphrase")),
    });
    await expect(foresee(context, session, handle)).rejects.toMatchObject({ code: "SecretsProvider" });
    expect(done).toEqual(["preview"]);
  });
});
