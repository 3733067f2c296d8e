import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SandboxClient, SandboxError, sandboxPaths } from "../../../sandbox/client/index.ts";

let dataDir: string;
let client: SandboxClient;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "kiln-daemon-"));
  client = new SandboxClient(dataDir);
});
afterEach(async () => {
  await client.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test("starts on demand, is found, keeps its port and its identity, and stops", async () => {
  expect(await client.status()).toEqual({ running: false, dataDir });
  const first = await client.start();
  expect(first).toMatchObject({ running: true, dataDir });
  expect((await client.start()).pid).toBe(first.pid);
  for (const file of [sandboxPaths(dataDir).daemon, sandboxPaths(dataDir).secretOf("owner")]) {
    expect(statSync(file).mode & 0o077, file).toBe(0);
  }
  expect(await client.stop()).toBe(true);
  expect(await client.stop()).toBe(false);
  const second = await client.start();
  expect(second.proxy).toBe(first.proxy);
  expect(second.subscriptionId).toBe(first.subscriptionId);
  expect(readFileSync(String(second.caCertificate), "utf8")).toContain("BEGIN CERTIFICATE");
});

test("many who start it at once get the same one", async () => {
  const started = await Promise.all(Array.from({ length: 4 }, () => new SandboxClient(dataDir).start()));
  expect(new Set(started.map(({ pid }) => pid)).size).toBe(1);
});

test("a daemon that was killed is seen as gone, and the next start goes on with its data", async () => {
  const { pid, subscriptionId } = await client.start();
  process.kill(Number(pid), "SIGKILL");
  const again = await client.start();
  expect(again.pid).not.toBe(pid);
  expect(again.subscriptionId).toBe(subscriptionId);
});

test("a port that is taken is a clear error, and nothing is left running", async () => {
  const other = net.createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as net.AddressInfo;
  const error = await client.start(port).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SandboxError);
  expect(error).toMatchObject({ code: "PortTaken", next: expect.stringContaining("--port") });
  expect((await client.status()).running).toBe(false);
  other.close();
  await once(other, "close");
  expect((await client.start(port)).proxy).toBe(`http://127.0.0.1:${port}`);
  await expect(client.start(port === 65_535 ? 65_534 : port + 1)).rejects.toMatchObject({
    code: "SandboxRunsElsewhere",
  });
});

test("who asks while it does not run is told how to start it", async () => {
  await expect(client.control("GET", "/clock")).rejects.toMatchObject({
    code: "SandboxNotRunning",
    next: expect.stringContaining("kiln sandbox start"),
  });
});
