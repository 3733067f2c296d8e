import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAuthority } from "../../../sandbox/core/authority.ts";

const SCRIPT = fileURLToPath(new URL("../../../components/openshift/submit-run.mjs", import.meta.url));
const RUN = "nightly-0a1b2c3d-29000000";

interface Run {
  readonly run_id: string;
  readonly display_name: string;
  state: string;
  readonly [more: string]: unknown;
}

/** As much of a pipeline server's API as a submission uses, with pages of one. */
const server = {
  runs: [] as Run[],
  experiments: [{ experiment_id: "e-default", display_name: "Default" }],
  versions: [
    { pipeline_version_id: "v-new", display_name: "v4" },
    { pipeline_version_id: "v-old", display_name: "v3" },
  ],
  tokens: [] as (string | undefined)[],
  submitted: [] as Record<string, unknown>[],
  terminated: [] as string[],
  broken: false,
};

function page(key: string, items: readonly unknown[], search: URLSearchParams) {
  const index = Number(search.get("page_token") || 0);
  const more = index + 1 < items.length ? { next_page_token: String(index + 1) } : {};
  return { [key]: items.slice(index, index + 1), ...more };
}

function answer(method: string, url: URL, body: Record<string, unknown>): unknown {
  const path = url.pathname.replace("/apis/v2beta1", "");
  if (method === "GET" && path === "/pipelines/names/training") return { pipeline_id: "p-1" };
  if (method === "GET" && path === "/pipelines/p-1/versions")
    return page("pipeline_versions", server.versions, url.searchParams);
  if (method === "GET" && path === "/experiments")
    return page("experiments", server.experiments, url.searchParams);
  if (method === "POST" && path === "/experiments") {
    const made = { experiment_id: `e-${String(body.display_name)}`, display_name: String(body.display_name) };
    server.experiments.push(made);
    return made;
  }
  if (method === "GET" && path === "/runs") {
    const own = server.runs.filter((run) => run.experiment_id === url.searchParams.get("experiment_id"));
    return page("runs", own, url.searchParams);
  }
  if (method === "POST" && path === "/runs") {
    server.submitted.push(body);
    const made = { ...body, run_id: `r-${server.submitted.length}`, state: "PENDING" } as unknown as Run;
    server.runs.push(made);
    return made;
  }
  const terminated = /^\/runs\/(.+):terminate$/.exec(path)?.[1];
  if (method === "POST" && terminated !== undefined) {
    server.terminated.push(terminated);
    return {};
  }
  return undefined;
}

let address: string;
const folder = mkdtempSync(join(tmpdir(), "kiln-submit-"));
const inFolder = (name: string) => join(folder, name);
const authority = await openAuthority({ key: inFolder("ca.key"), cert: inFolder("ca.crt") }, "Service CA");
const { key, cert } = await authority.issue({
  name: "pipelines",
  addresses: ["127.0.0.1"],
  usages: ["server"],
});
const https = createServer({ key, cert }, (request, response) => {
  server.tokens.push(request.headers.authorization);
  let text = "";
  request.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  request.on("end", () => {
    const url = new URL(request.url ?? "/", address);
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const found = server.broken ? undefined : answer(request.method ?? "", url, body);
    response.statusCode = server.broken ? 503 : found === undefined ? 404 : 200;
    response.end(server.broken ? "no healthy upstream" : JSON.stringify(found ?? { message: "not found" }));
  });
});

beforeAll(async () => {
  await new Promise<void>((listening) => https.listen(0, "127.0.0.1", listening));
  address = `https://127.0.0.1:${(https.address() as AddressInfo).port}`;
  writeFileSync(inFolder("token"), "a-pod's-token\n");
});

afterAll(async () => {
  await new Promise((closed) => https.close(closed));
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  server.runs = [];
  server.submitted = [];
  server.terminated = [];
  server.tokens = [];
  server.broken = false;
});

async function submit(more: object = {}, ca = "ca.crt") {
  const request = {
    schedule: "nightly",
    pipeline: { name: "training" },
    experiment: "Default",
    parameters: { epochs: 3 },
    concurrency: "Forbid",
    ...more,
  };
  writeFileSync(inFolder("request.json"), JSON.stringify(request));
  const env = {
    API_URL: address,
    REQUEST_FILE: inFolder("request.json"),
    CA_FILE: inFolder(ca),
    TOKEN_FILE: inFolder("token"),
    RUN_NAME: RUN,
  };
  return execa(process.execPath, [SCRIPT], { env, extendEnv: false, reject: false });
}

const run = (display_name: string, state: string): Run => ({
  run_id: `id-of-${display_name}`,
  display_name,
  state,
  experiment_id: "e-default",
});

describe("a submission", () => {
  it("names pipeline, newest version, experiment and parameters, with the pod's token", async () => {
    const { exitCode, stdout } = await submit();
    expect(stdout).toBe(`${RUN} is submitted as r-1`);
    expect(exitCode).toBe(0);
    expect(server.submitted).toEqual([
      {
        display_name: RUN,
        description: "Schedule nightly",
        experiment_id: "e-default",
        pipeline_version_reference: { pipeline_id: "p-1", pipeline_version_id: "v-new" },
        runtime_config: { parameters: { epochs: 3 } },
      },
    ]);
    expect(new Set(server.tokens)).toEqual(new Set(["Bearer a-pod's-token"]));
  });

  it("finds a version by its name on a later page, and makes an experiment that there is none of", async () => {
    await submit({ pipeline: { name: "training", version: "v3" }, experiment: "night" });
    expect(server.submitted).toMatchObject([
      { experiment_id: "e-night", pipeline_version_reference: { pipeline_version_id: "v-old" } },
    ]);
  });

  it("that is tried again submits nothing twice", async () => {
    await submit();
    const { stdout, exitCode } = await submit();
    expect({ stdout, exitCode }).toEqual({ stdout: `${RUN} was submitted before, as r-1`, exitCode: 0 });
    expect(server.submitted).toHaveLength(1);
  });
});

describe("while a run of the same schedule is under way", () => {
  const before = "nightly-0a1b2c3d-28999999";
  // Another definition of the schedule is still the schedule; another schedule with a longer name is not.
  const own = () => [run("nightly-ffffffff-28999000", "SUCCEEDED"), run(before, "RUNNING")];
  const others = () => [run("nightly-more-0a1b2c3d-28999999", "RUNNING"), run("by hand", "RUNNING")];

  it("Forbid leaves the next one out", async () => {
    server.runs = [...others(), ...own()];
    const { stdout, exitCode } = await submit();
    expect({ stdout, exitCode }).toEqual({
      stdout: `${before} is still under way: ${RUN} is left out`,
      exitCode: 0,
    });
    expect(server.submitted).toEqual([]);
  });

  it("Replace breaks it off first, and no other", async () => {
    server.runs = [...others(), ...own()];
    await submit({ concurrency: "Replace" });
    expect(server.terminated).toEqual([`id-of-${before}`]);
    expect(server.submitted).toHaveLength(1);
  });

  it("Allow runs both; others never count", async () => {
    server.runs = own();
    await submit({ concurrency: "Allow" });
    server.runs = others();
    await submit();
    expect(server.submitted).toHaveLength(2);
    expect(server.terminated).toEqual([]);
  });
});

describe("a submission that cannot be made fails, and says why", () => {
  it.each([
    [{ pipeline: { name: "unknown" } }, 'The pipeline server has no pipeline "unknown"'],
    [{ pipeline: { name: "training", version: "v9" } }, '"training" has no version "v9"'],
  ])("%j", async (more, message) => {
    const { exitCode, stderr } = await submit(more);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: message });
    expect(server.submitted).toEqual([]);
  });

  it("for a server that does not work", async () => {
    server.broken = true;
    const { exitCode, stderr } = await submit();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^GET \/apis\/v2beta1\/experiments\S+: 503 no healthy upstream$/);
  });

  it("for a server whose certificate is of another authority", async () => {
    await openAuthority({ key: inFolder("other.key"), cert: inFolder("other.crt") }, "Somebody else");
    const { exitCode, stderr } = await submit({}, "other.crt");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/certificate|self-signed|unable to/i);
    expect(server.tokens).toEqual([]);
  });
});
