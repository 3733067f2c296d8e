import { readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { Octokit } from "@octokit/rest";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SandboxStatus } from "../../../sandbox/client/index.ts";
import { type TestKiln, testKiln } from "../../harness/kiln.ts";

/** GitHub in the sandbox as users have it: by the real command, with a daemon that may die at any moment. */
let kiln: TestKiln;
let status: SandboxStatus;
let octokit: Octokit;
let restore: () => void;
const at = { owner: "kiln", repo: "lasting" };

beforeAll(async () => {
  kiln = await testKiln();
  await start();
  restore = http.setGlobalProxyFromEnv({ https_proxy: String(status.proxy) });
  const ca = readFileSync(String(status.caCertificate), "utf8");
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), ca]);
  octokit = new Octokit({ auth: readFileSync(String(status.github?.tokenFile), "utf8") });
  await octokit.rest.repos.createInOrg({ org: at.owner, name: at.repo, auto_init: true });
});
afterAll(async () => {
  restore();
  await kiln.dispose();
});

async function start(): Promise<void> {
  await kiln.run(["sandbox", "start", "--profile", "instant"]);
  status = (await kiln.run(["sandbox", "status", "--json"])).json() as unknown as SandboxStatus;
}

async function kill(): Promise<void> {
  const pid = Number(status.pid);
  process.kill(pid, "SIGKILL");
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(5);
  }
}

test("the status says where GitHub is, and not what its token is", async () => {
  const { stdout } = await kiln.run(["sandbox", "status"]);
  expect(stdout).toContain("kiln, as kiln-owner");
  expect(stdout).not.toContain(readFileSync(String(status.github?.tokenFile), "utf8"));
});

test("a job's tokens can be had by the command", async () => {
  const job = ["--repo", "kiln/lasting"];
  const oidc = await kiln.run(["sandbox", "github", "oidc", ...job, "--environment", "prod", "--json"]);
  const { token, subject } = oidc.json() as { token: string; subject: string };
  expect(subject).toMatch(/^repo:kiln@\d+\/lasting@\d+:environment:prod$/);
  expect(decodeJwt(token)).toMatchObject({ sub: subject, aud: "api://AzureADTokenExchange" });
  const { stdout } = await kiln.run(["sandbox", "github", "job-token", ...job, "--access", "write"]);
  expect(stdout).toMatch(/^ghs_[A-Za-z0-9]{36}\n$/);
  const { data } = await new Octokit({ auth: stdout.trim() }).rest.repos.get(at);
  expect(data.permissions).toMatchObject({ admin: false, push: true });
});

test.each([
  [["oidc", "--repo", "kiln/none"], "RepositoryNotFound"],
  [["oidc", "--repo", "nothing"], "InvalidArgument"],
  [["oidc"], undefined],
])("what there is not ends as wrong usage: %j", async (args, code) => {
  const { exitCode, stderr } = await kiln.run(["sandbox", "github", ...args]);
  expect(exitCode).toBe(2);
  if (code !== undefined) expect(stderr).toContain(code);
});

test("a token of GitHub is found where it leaks", async () => {
  const leaked = path.join(kiln.home, "leaked.txt");
  writeFileSync(leaked, `token: ${readFileSync(String(status.github?.tokenFile), "utf8")}`);
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  rmSync(leaked);
  expect(scan.exitCode).toBe(5);
  expect(scan.json().leaks).toMatchObject([{ file: leaked, kind: "github-token" }]);
  expect((await kiln.run(["sandbox", "leak-scan", kiln.home])).exitCode).toBe(0);
});

test("what was answered is there after the daemon was killed, and content that was not yet is made up for", async () => {
  const content = Buffer.from("written").toString("base64");
  await octokit.rest.repos.createOrUpdateFileContents({ ...at, path: "a.txt", message: "m", content });
  const bare = await octokit.rest.repos.createInOrg({ org: at.owner, name: "bare" });
  await kill();
  // As if it had died before git had made anything.
  rmSync(path.join(status.dataDir, "github", `${bare.data.id}.git`), { recursive: true });
  await start();
  const { data } = await octokit.rest.repos.getContent({ ...at, path: "a.txt" });
  expect(data).toMatchObject({ type: "file", size: 7 });
  const first = { owner: at.owner, repo: "bare", path: "first.txt", message: "m", content };
  expect((await octokit.rest.repos.createOrUpdateFileContents(first)).status).toBe(201);
});

test("a reset leaves the token, and nothing that it made", async () => {
  await kiln.run(["sandbox", "reset"]);
  const { data } = await octokit.rest.repos.listForOrg({ org: at.owner });
  expect(data).toEqual([]);
});
