import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { WorkloadIdentityCredential } from "@azure/identity";
import { clientEnvironment, sandboxPaths } from "../../sandbox/client/index.ts";
import type { KnownPrincipal } from "../../sandbox/core/principals.ts";
import type { SettingsPatch } from "../../sandbox/core/settings.ts";
import { gitHubAccess } from "../../sandbox/github/tokens.ts";
import { openSandbox, type Sandbox } from "../../sandbox/sandbox.ts";

/** A sandbox in the test's own process and a folder of its own, behind its real front door. */
export interface TestSandbox {
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  readonly proxy: string;
  readonly caFile: string;
  /** What an SDK client of this principal is made with. */
  client(principal?: KnownPrincipal): {
    credential: WorkloadIdentityCredential;
    options: { proxyOptions: { host: string; port: number } };
  };
  /** The environment for a client in a process of its own. */
  environment(principal?: KnownPrincipal): Record<string, string>;
  /** The control API. */
  control(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Closes it and opens it again on what it left. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function testSandbox(settings: SettingsPatch = { profile: "instant" }): Promise<TestSandbox> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "kiln-sandbox-"));
  let sandbox = await openSandbox({ dataDir, port: 0, onStop: () => {} });
  sandbox.cloud.changeSettings(settings);
  const caFile = path.join(dataDir, "tls", "ca.pem");
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(caFile, "utf8")]);
  const paths = sandboxPaths(dataDir);
  const clientIdOf = (principal: KnownPrincipal): string =>
    sandbox.cloud.principals.byName(principal)?.clientId ?? "";
  return {
    get sandbox() {
      return sandbox;
    },
    dataDir,
    get proxy() {
      return `http://127.0.0.1:${sandbox.port}`;
    },
    caFile,
    client: (principal = "owner") => {
      const options = { proxyOptions: { host: "http://127.0.0.1", port: sandbox.port } };
      return {
        options,
        credential: new WorkloadIdentityCredential({
          ...options,
          tenantId: sandbox.cloud.tenantId,
          clientId: clientIdOf(principal),
          tokenFilePath: paths.assertionOf(principal),
        }),
      };
    },
    environment: (principal = "owner") =>
      clientEnvironment({
        proxy: `http://127.0.0.1:${sandbox.port}`,
        caCertificate: caFile,
        tenantId: sandbox.cloud.tenantId,
        subscriptionId: sandbox.cloud.subscriptionId,
        clientId: clientIdOf(principal),
        assertionFile: paths.assertionOf(principal),
        github: gitHubAccess(sandbox.cloud, principal),
      }),
    control: async (method, route, body) => {
      const response = await fetch(`http://127.0.0.1:${sandbox.port}/control${route}`, {
        method,
        headers: {
          authorization: `Bearer ${sandbox.controlToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    restart: async () => {
      await sandbox.close();
      sandbox = await openSandbox({ dataDir, port: 0, onStop: () => {} });
    },
    close: async () => {
      await sandbox.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
