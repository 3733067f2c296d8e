import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  clientEnvironment,
  SandboxClient,
  type SandboxStatus,
  sandboxPaths,
} from "../../sandbox/client/index.ts";
import type { KnownPrincipal } from "../../sandbox/core/principals.ts";
import type { SettingsPatch } from "../../sandbox/core/settings.ts";

/** A sandbox as users have it: a daemon in a process and a folder of its own. */
export interface TestDaemon {
  readonly client: SandboxClient;
  readonly proxy: string;
  readonly caFile: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly pid: number;
  clientId(principal?: KnownPrincipal): string;
  secret(principal?: KnownPrincipal): string;
  secretFile(principal?: KnownPrincipal): string;
  assertion(principal?: KnownPrincipal): string;
  /** What `kiln env` gives a shell of this principal. */
  environment(principal?: KnownPrincipal): Record<string, string>;
  token(options?: { as?: KnownPrincipal; audience?: string; seconds?: number }): Promise<string>;
  /** Ends the process without a word, and returns when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on what it left. */
  start(): Promise<void>;
  dispose(): Promise<void>;
}

export async function testDaemon(settings: SettingsPatch = { profile: "instant" }): Promise<TestDaemon> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "kiln-daemon-"));
  const client = new SandboxClient(dataDir);
  const paths = sandboxPaths(dataDir);
  let status: SandboxStatus = await client.start();
  await client.control("POST", "/settings", settings);
  const text = (value: unknown): string => {
    if (typeof value !== "string") throw new Error("the sandbox does not say what it should");
    return value;
  };
  const clientId = (principal: KnownPrincipal = "owner"): string => {
    const known = status.principals as { name: string; clientId: string }[];
    return text(known.find((each) => each.name === principal)?.clientId);
  };
  return {
    client,
    get proxy() {
      return text(status.proxy);
    },
    get caFile() {
      return text(status.caCertificate);
    },
    get subscriptionId() {
      return text(status.subscriptionId);
    },
    get tenantId() {
      return text(status.tenantId);
    },
    get pid() {
      return Number(status.pid);
    },
    clientId,
    secretFile: (principal = "owner") => paths.secretOf(principal),
    secret: (principal = "owner") => readFileSync(paths.secretOf(principal), "utf8").trim(),
    assertion: (principal = "owner") => readFileSync(paths.assertionOf(principal), "utf8").trim(),
    environment: (principal = "owner") =>
      clientEnvironment({
        proxy: text(status.proxy),
        caCertificate: text(status.caCertificate),
        tenantId: text(status.tenantId),
        subscriptionId: text(status.subscriptionId),
        clientId: clientId(principal),
        assertionFile: paths.assertionOf(principal),
      }),
    token: async ({ as = "owner", audience = "https://management.azure.com", seconds = 3600 } = {}) => {
      const answer = await client.control("POST", "/token", { principal: as, audience, seconds });
      return text((answer as { accessToken?: unknown }).accessToken);
    },
    kill: async () => {
      const pid = Number(status.pid);
      process.kill(pid, "SIGKILL");
      while (isAlive(pid)) await delay(5);
    },
    start: async () => {
      status = await client.start();
    },
    dispose: async () => {
      await client.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
