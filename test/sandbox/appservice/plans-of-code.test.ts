import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { counted, type SiteCounters } from "../../../sandbox/appservice/counters.ts";
import { appEnvironment } from "../../../sandbox/appservice/environment.ts";
import { endToEnd } from "../../../sandbox/appservice/forward.ts";
import { isReference, parseReference } from "../../../sandbox/appservice/reference-syntax.ts";
import { requireSettingNames } from "../../../sandbox/appservice/site-config.ts";
import { backoffMs } from "../../../sandbox/appservice/site-host.ts";
import { isSiteName } from "../../../sandbox/appservice/site-model.ts";
import { findStartCommand } from "../../../sandbox/appservice/start-command.ts";

describe("reading a reference", () => {
  const version = "0123456789abcdef0123456789abcdef";
  const uri = "https://kv-x.vault.azure.net/secrets/a-b";

  test.each([
    [`@Microsoft.KeyVault(SecretUri=${uri})`, undefined],
    [`@Microsoft.KeyVault(SecretUri=${uri}/)`, undefined],
    [`@Microsoft.KeyVault(SecretUri=${uri}/${version})`, version],
    ["@microsoft.keyvault(VaultName=kv-x; SecretName=a-b)", undefined],
    [`@Microsoft.KeyVault(VaultName=kv-x;SecretName=a-b;SecretVersion=${version})`, version],
    ["@Microsoft.KeyVault(VaultName=kv-x;SecretName=a-b;SecretVersion=)", undefined],
  ])("%s", (text, wanted) => {
    expect(parseReference(text)).toEqual({
      vaultName: "kv-x",
      secretName: "a-b",
      ...(wanted === undefined ? {} : { secretVersion: wanted }),
      secretUri: wanted === undefined ? uri : `${uri}/${wanted}`,
    });
  });

  test.each([
    "@Microsoft.KeyVault()",
    `@Microsoft.KeyVault(SecretUri=${uri}`,
    "@Microsoft.KeyVault(SecretUri=https://evil.example/secrets/a)",
    "@Microsoft.KeyVault(SecretUri=http://kv-x.vault.azure.net/secrets/a)",
    `@Microsoft.KeyVault(SecretUri=${uri};VaultName=kv-x)`,
    `@Microsoft.KeyVault(SecretUri=${uri};SecretUri=${uri})`,
    "@Microsoft.KeyVault(VaultName=kv-x)",
    "@Microsoft.KeyVault(VaultName=kv-x;SecretName=a_b)",
    "@Microsoft.KeyVault(VaultName=kv-x;SecretName=a;Other=b)",
    "@Microsoft.KeyVault(VaultName=kv-x;SecretName=a;SecretVersion=1)",
    "@Microsoft.KeyVault(nonsense)",
  ])("refuses %s", (text) => {
    expect(isReference(text)).toBe(true);
    expect(parseReference(text)).toBeUndefined();
  });

  test("knows other text from a reference", () => {
    expect(isReference("text")).toBe(false);
    fc.assert(fc.property(fc.string(), (text) => parseReference(text) === undefined || isReference(text)));
  });
});

describe("how code is started", () => {
  let folder: string;
  const folders: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kiln-code-"));
    folders.push(folder);
  });
  afterAll(() => {
    for (const each of folders) rmSync(each, { recursive: true, force: true });
  });
  const write = (name: string, content: unknown) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  };
  const find = (line = "") => findStartCommand(folder, line, "/runtime/node");
  const handler = (description: object, more: object = { enableForwardingHttpRequest: true }) => ({
    customHandler: { description, ...more },
  });

  test("by the custom handler, with the sandbox's own Node for node", async () => {
    write(
      "host.json",
      handler({ defaultExecutablePath: "node", arguments: ["server.ts"], workingDirectory: "dist" }),
    );
    expect(await find("ignored")).toEqual({
      file: "/runtime/node",
      args: ["server.ts"],
      cwd: path.join(folder, "dist"),
    });
  });

  test("by a program of the package, which becomes executable, or one of the system", async () => {
    write(
      "host.json",
      handler({ defaultExecutablePath: "bin/app", defaultWorkerPath: "w", arguments: ["a"] }),
    );
    write("bin/app", "#!/bin/sh\n");
    expect(await find()).toMatchObject({ file: path.join(folder, "bin/app"), args: ["w", "a"] });
    expect(statSync(path.join(folder, "bin/app")).mode & 0o777).toBe(0o700);
    write("host.json", handler({ defaultExecutablePath: "python3" }));
    expect(await find()).toMatchObject({ file: "python3", args: [] });
  });

  test("by package.json's main", async () => {
    write("package.json", { main: "lib/start.js" });
    write("lib/start.js", "");
    expect(await find()).toEqual({ file: "/runtime/node", args: ["lib/start.js"], cwd: folder });
  });

  test.each([
    ["{", "not JSON"],
    [{}, "no customHandler"],
    [handler({ defaultExecutablePath: "node" }, {}), "enableForwardingHttpRequest"],
    [handler({}), "defaultExecutablePath"],
  ])("or says what is wrong with host.json %j", async (content, message) => {
    write("host.json", content);
    await expect(find()).rejects.toThrow(message);
  });

  test("or says that nothing tells", async () => {
    await expect(find()).rejects.toThrow("no start script");
    mkdirSync(path.join(folder, "package.json"));
    await expect(find()).rejects.toThrow("cannot be read");
  });
});

describe("counting", () => {
  const nothing: SiteCounters = {
    since: "",
    total: 0,
    byStatus: {},
    byClass: {},
    byRoute: {},
    dropped: 0,
    notOk: 0,
    clientAborted: 0,
  };

  test("totals are the sums of their parts, whatever comes", () => {
    const outcome = fc.oneof(
      fc.record({ kind: fc.constant("answered" as const), status: fc.constantFrom(200, 201, 401, 503) }),
      fc.record({ kind: fc.constantFrom("dropped" as const, "client-aborted" as const) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), outcome), { maxLength: 400 }), (requests) => {
        const all = requests.reduce((sum, [route, each]) => counted(sum, `GET /${route}`, each), nothing);
        const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
        expect(all.total + all.clientAborted).toBe(requests.length);
        expect(sum(Object.values(all.byStatus)) + all.dropped).toBe(all.total);
        expect(sum(Object.values(all.byClass)) + all.dropped).toBe(all.total);
        expect(all.total - (all.byStatus["200"] ?? 0)).toBe(all.notOk);
        expect(sum(Object.values(all.byRoute).map(({ total }) => total))).toBe(all.total);
        expect(Object.keys(all.byRoute).length).toBeLessThanOrEqual(201);
      }),
    );
  });
});

test("hop-by-hop headers and those that Connection names do not pass", () => {
  const headers = {
    connection: "close, X-Mine",
    "x-mine": "1",
    "transfer-encoding": "chunked",
    expect: "100-continue",
    "x-other": "2",
  };
  expect(endToEnd(headers)).toEqual({ "x-other": "2" });
});

test("an app's environment: settings over platform defaults, the network and the site's own names over all", () => {
  const platform = { NODE_ENV: "production", WEBSITE_SITE_NAME: "app", HOME: "/home" };
  const settings = {
    NODE_ENV: "test",
    WEBSITE_SITE_NAME: "other",
    HOME: "/root",
    HTTPS_PROXY: "x",
    MINE: "1",
  };
  expect(appEnvironment({ platform, settings, network: { HTTPS_PROXY: "p" } })).toEqual({
    NODE_ENV: "test",
    WEBSITE_SITE_NAME: "app",
    HOME: "/home",
    HTTPS_PROXY: "p",
    MINE: "1",
  });
});

test("names of sites and settings", () => {
  for (const name of ["ab", "a-b", "A1"]) expect(isSiteName(name)).toBe(true);
  for (const name of ["a", "-ab", "ab-", "a_b", "a.b", "x".repeat(61)]) expect(isSiteName(name)).toBe(false);
  expect(() => requireSettingNames({ "a b": "", ok: "", OK: "" })).toThrow(
    /'a b' is not allowed.*'OK' is given twice/,
  );
});

test("a start that failed once is forgiven; then waits grow to half a minute", () => {
  expect([1, 2, 3, 4, 20].map(backoffMs)).toEqual([0, 1000, 2000, 4000, 30_000]);
});
