import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { isPassing, Refusal } from "../../../sandbox/kubernetes/api.ts";
import { definitionOf } from "../../../sandbox/kubernetes/bootstrap.ts";
import { commandsOf, partNames, schedulerConfig } from "../../../sandbox/kubernetes/commands.ts";
import { kubeconfig } from "../../../sandbox/kubernetes/kubeconfig.ts";
import { setUpObjects } from "../../../sandbox/kubernetes/objects.ts";
import { kubernetesPaths } from "../../../sandbox/kubernetes/paths.ts";
import { freePorts, isFree } from "../../../sandbox/kubernetes/ports.ts";
import { nextWait } from "../../../sandbox/kubernetes/supervisor.ts";
import { people, systemUsers, tokenFile, userOfPrincipal } from "../../../sandbox/kubernetes/users.ts";

test("a kubeconfig reads back as what it was made of, whatever that is", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (server, ca, user, token) => {
      const config = parse(kubeconfig({ server, ca, user, token }));
      expect(config["current-context"]).toBe("kiln-sandbox");
      expect(config.clusters[0].cluster.server).toBe(server);
      const authority = Buffer.from(config.clusters[0].cluster["certificate-authority-data"] ?? "", "base64");
      expect(authority).toEqual(Buffer.from(ca));
      expect(config.contexts[0].context.user).toBe(user);
      expect(config.users).toEqual([{ name: user, user: { token } }]);
    }),
  );
});

test("the token file has a line for each user, groups in quotes", () => {
  expect(
    tokenFile([
      { name: "a", groups: ["x", "y"], token: "t1" },
      { name: "b", groups: [], token: "t2" },
    ]),
  ).toBe('t1,a,kiln:a,"x,y"\nt2,b,kiln:b\n');
  const names = [...people, ...Object.values(systemUsers)].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const user of Object.values(userOfPrincipal)) if (user !== undefined) expect(names).toContain(user);
});

test("a process that ends by itself comes back soon at first, then less and less so, and soon again once it has lasted", () => {
  expect(nextWait(undefined, 10)).toBe(100);
  let wait = nextWait(undefined, 10);
  const waits = Array.from({ length: 9 }, () => {
    wait = nextWait(wait, 10);
    return wait;
  });
  expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  expect(nextWait(wait, 60_000)).toBe(100);
});

test("no part is told to listen beyond this machine, or to show what it does in its arguments", () => {
  const paths = kubernetesPaths("/data");
  const file = (name: string) => `/kit/${name}`;
  const binaries = {
    etcd: file("etcd"),
    kubeApiserver: file("kube-apiserver"),
    kubeControllerManager: file("kube-controller-manager"),
    kubeScheduler: file("kube-scheduler"),
    kwok: file("kwok"),
  };
  const commands = commandsOf({ binaries, crds: "/kit/crds" }, { api: 1, etcd: 2, etcdPeer: 3 }, paths);
  expect(Object.keys(commands)).toEqual([...partNames]);
  for (const { args } of Object.values(commands)) {
    for (const url of args.join(" ").match(/https?:\/\/[^\s,]+/g) ?? [])
      expect(url).toMatch(/^https:\/\/(127\.0\.0\.1:\d+|kubernetes\.kiln\.sandbox)/);
    expect(args.join(" ")).not.toContain("sha256~");
  }
  expect(commands["kube-apiserver"].args).toContain("--bind-address=127.0.0.1");
  for (const name of ["kube-controller-manager", "kube-scheduler"] as const)
    expect(commands[name].args).toContain("--secure-port=0");
  expect(parse(schedulerConfig("/a b/c"))).toMatchObject({
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig: "/a b/c" },
  });
});

test("a definition's name is found without parsing its file", () => {
  const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n";
  const named = (rest: string) => definitionOf(`${crd}${rest}`).name;
  expect(named("  name: a.example.com\nspec: {}\n")).toBe("a.example.com");
  expect(named("  annotations:\n    x: y\n  name: b.example.com\n")).toBe("b.example.com");
  expect(named('  labels: {}\n  name: "c.example.com"\nspec:\n  names:\n    name: other\n')).toBe(
    "c.example.com",
  );
  expect(() => named("spec:\n  name: d.example.com\n")).toThrow("holds none");
  expect(() => definitionOf("kind: ConfigMap\nmetadata:\n  name: a\n")).toThrow("holds none");
  expect(definitionOf(`${crd}  name: a.b\n`).hash).not.toBe(
    definitionOf(`${crd}  name: a.b\n# changed\n`).hash,
  );
});

test("what a busy or ended server answers passes; what it says of an object does not", () => {
  const refused = (status: number) => new Refusal("it", { status, body: { message: "no" } });
  expect(refused(422).message).toBe("the API server refused it (422): no");
  expect(new Refusal("it", { status: 502, body: { reason: "gone" } }).message).toContain("gone");
  for (const status of [409, 429, 500, 503, 504]) expect(isPassing(refused(status))).toBe(true);
  for (const status of [400, 401, 403, 404, 422]) expect(isPassing(refused(status))).toBe(false);
  expect(isPassing(Object.assign(new Error(), { code: "ECONNRESET" }))).toBe(true);
  expect(isPassing(new Error("a file among the custom resource definitions holds none"))).toBe(false);
});

test("no role that the sandbox adds to admin, edit or view has a wildcard, and view only reads", () => {
  type Role = {
    kind: string;
    metadata: { name: string; labels: Record<string, string> };
    rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  };
  const roles = setUpObjects()
    .map(({ body }) => body as unknown as Role)
    .filter(({ kind }) => kind === "ClusterRole");
  for (const { metadata, rules } of roles) {
    for (const { apiGroups, resources, verbs } of rules) {
      expect([metadata.name, apiGroups, resources, verbs].flat()).not.toContain("*");
      if (Object.keys(metadata.labels).some((label) => label.endsWith("aggregate-to-view")))
        expect(verbs).toEqual(["get", "list", "watch"]);
    }
  }
});

test("ports are free, and each another", async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) expect(await isFree(port)).toBe(true);
});
