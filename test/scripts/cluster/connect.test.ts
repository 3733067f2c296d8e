import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { connect, kubeconfigFiles, neededApis, ownAccess } from "../../../scripts/lib/cluster/connect.ts";
import { KilnError } from "../../../scripts/lib/errors.ts";
import { servingSchema } from "../../../stacks/serving-schema.ts";
import { project } from "../../stacks/serving-samples.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kiln-kubeconfig-"));
const file = path.join(folder, "config");
/** What the server answers, by path; 404 for the rest. */
let answers: Record<string, unknown> = {};
let status = 200;
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const known = answers[request.url ?? ""];
    const code = known === undefined ? 404 : status;
    response.writeHead(code, { "content-type": "application/json" });
    response.end(
      JSON.stringify(code < 400 ? known : { kind: "Status", apiVersion: "v1", status: "Failure", code }),
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  status = 200;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const serving = (cluster: object = {}) =>
  servingSchema("dev").parse({ cluster, projects: [project("fraud")] });

function kubeconfig(at: string): NodeJS.ProcessEnv {
  const named = { name: "team", context: { cluster: "c", user: "u" } };
  writeFileSync(
    file,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "team",
      clusters: [{ name: "c", cluster: { server: at, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "none" } }],
      contexts: [named],
    }),
  );
  return { KUBECONFIG: file };
}

async function refusal(work: Promise<unknown>): Promise<KilnError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof KilnError) return error;
  throw new Error(`it should have been refused: ${error}`);
}

function clusterWith(...groups: string[]): void {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  answers = {
    "/apis/authentication.k8s.io/v1": {
      resources: [
        { name: "selfsubjectreviews", kind: "SelfSubjectReview", namespaced: false, verbs: ["create"] },
      ],
    },
    "/apis/authentication.k8s.io/v1/selfsubjectreviews": {
      ...review,
      status: { userInfo: { username: "dana" } },
    },
    "/apis": {
      groups: groups.map((each) => ({
        name: each.split("/")[0],
        versions: [{ groupVersion: each, version: each.split("/")[1] }],
      })),
    },
    "/.well-known/openid-configuration": { issuer: "https://issuer.example" },
  };
}

describe("the way to one's own cluster", () => {
  const { signal } = new AbortController();

  it("is found by KUBECONFIG, else in the home", () => {
    expect(kubeconfigFiles({ KUBECONFIG: ["/a", "", "/b"].join(path.delimiter) })).toEqual(["/a", "/b"]);
    expect(kubeconfigFiles({}, "/home/dana")).toEqual(["/home/dana/.kube/config"]);
    expect(ownAccess({ KUBECONFIG: path.join(folder, "none") }, undefined)).toBeUndefined();
  });

  it("tells who one is there, and who signs its tokens", async () => {
    clusterWith("serving.kserve.io/v1beta1");
    (answers["/apis"] as { groups: { versions: object[] }[] }).groups[0]?.versions.push({
      groupVersion: "serving.kserve.io/v1alpha1",
      version: "v1alpha1",
    });
    expect(await connect(kubeconfig(address), serving(), signal)).toEqual({
      kubeconfig: file,
      context: undefined,
      user: "dana",
      issuer: "https://issuer.example",
    });
  });

  it("is told to be missing, or unreadable", async () => {
    expect(
      await refusal(connect({ KUBECONFIG: path.join(folder, "none") }, serving(), signal)),
    ).toMatchObject({
      code: "NoKubeconfig",
      next: expect.stringContaining("Nothing was touched"),
    });
    writeFileSync(file, "{");
    expect(await refusal(connect({ KUBECONFIG: file }, serving(), signal))).toMatchObject({
      code: "KubeconfigUnreadable",
    });
  });

  it("names the contexts that there are, and the nearest", async () => {
    const error = await refusal(connect(kubeconfig(address), serving({ context: "taem" }), signal));
    expect(error).toMatchObject({
      code: "ContextUnknown",
      cause: expect.stringContaining("Did you mean team?"),
    });
  });

  it("says when nobody answers there", async () => {
    expect(await refusal(connect(kubeconfig("http://127.0.0.1:1"), serving(), signal))).toMatchObject({
      code: "ClusterUnreachable",
    });
  });

  it("says when the server does not know who asks", async () => {
    clusterWith();
    status = 401;
    expect(await refusal(connect(kubeconfig(address), serving(), signal))).toMatchObject({
      code: "ClusterUnauthorized",
    });
  });

  it("names every part of OpenShift AI that the cluster lacks", async () => {
    clusterWith("serving.kserve.io/v1beta1");
    const error = await refusal(connect(kubeconfig(address), serving(), signal));
    expect(error.code).toBe("OpenShiftAiMissing");
    expect(error.cause).toContain("serving.kserve.io/v1alpha1, for serving runtimes");
    expect(error.cause).not.toContain("kubeflow");
  });
});

describe("what a cluster needs", () => {
  it("is what the configuration uses, and nothing else", () => {
    expect(neededApis({ projects: [] })).toEqual([]);
    expect(neededApis(serving()).map(({ api }) => api)).toEqual([
      "serving.kserve.io/v1beta1",
      "serving.kserve.io/v1alpha1",
    ]);
  });
});
