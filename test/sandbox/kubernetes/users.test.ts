import { readFileSync } from "node:fs";
import https from "node:https";
import {
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  RbacAuthorizationV1Api,
  StorageV1Api,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClusterUser, type TestKubernetes, testKubernetes } from "../../harness/kubernetes.ts";

let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await testKubernetes();
});
afterAll(() => cluster?.dispose());

const core = (user?: ClusterUser) => cluster.config(user).makeApiClient(CoreV1Api);

/** The status with which a call is refused; undefined when it is not. */
async function refusal(call: Promise<unknown>): Promise<{ code: number; message: string } | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const { code, body } = error as { code: number; body: unknown };
    const parsed = typeof body === "string" ? (JSON.parse(body) as { message?: string }) : {};
    return { code, message: parsed.message ?? String(body) };
  }
}

async function makeProject(name: string): Promise<void> {
  await core().createNamespace({ body: { metadata: { name } } });
}

async function bind(namespace: string, role: string, kind: "User" | "Group", name: string): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  await cluster
    .config()
    .makeApiClient(RbacAuthorizationV1Api)
    .createNamespacedRoleBinding({
      namespace,
      body: {
        metadata: { name: `${role}-${name}` },
        roleRef: { apiGroup, kind: "ClusterRole", name: role },
        subjects: [{ apiGroup, kind, name }],
      },
    });
}

async function may(user: ClusterUser, verb: string, group: string, resource: string, namespace: string) {
  const { status } = await cluster
    .config(user)
    .makeApiClient(AuthorizationV1Api)
    .createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb, group, resource, namespace } } },
    });
  return status?.allowed;
}

const others: ClusterUser[] = ["team-lead", "data-scientist", "viewer"];

describe("who one is", () => {
  test("a kubeconfig signs its user in, with the groups that it names", async () => {
    const { users } = await cluster.status();
    expect(users.map(({ name, groups }) => [name, groups])).toEqual([
      ["owner", ["platform-admins"]],
      ["team-lead", ["team-leads"]],
      ["data-scientist", ["data-scientists"]],
      ["viewer", ["viewers"]],
    ]);
    for (const { name, groups } of users) {
      const { stdout } = await cluster.kubectl(["auth", "whoami", "-o", "json"], { as: name as ClusterUser });
      expect(JSON.parse(stdout).status.userInfo).toMatchObject({
        username: name,
        groups: [...groups, "system:authenticated"],
      });
    }
  });

  test("without a token, or with another one, nobody is let in", async () => {
    const { server, caCertificate } = await cluster.status();
    const get = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { ca: readFileSync(String(caCertificate)), headers };
        https
          .get(`${server}/api/v1/namespaces`, options, (response) => {
            response.resume();
            resolve(response.statusCode);
          })
          .on("error", reject);
      });
    expect(await get({ authorization: "Bearer sha256~wrong" })).toBe(401);
    expect(await get({})).toBe(403);
  });
});

describe("what one may do", () => {
  test("the owner everything, the others nothing in a project that did not take them in", async () => {
    await makeProject("closed");
    expect(await may("owner", "*", "*", "*", "closed")).toBe(true);
    for (const user of others) {
      expect(await refusal(core(user).listNamespacedPod({ namespace: "closed" }))).toMatchObject({
        code: 403,
        message: `pods is forbidden: User "${user}" cannot list resource "pods" in API group "" in the namespace "closed"`,
      });
      expect(await refusal(core(user).listNamespacedSecret({ namespace: "kube-system" }))).toMatchObject({
        code: 403,
      });
      expect(
        await refusal(core(user).createNamespace({ body: { metadata: { name: "mine" } } })),
      ).toMatchObject({
        code: 403,
      });
      expect(await refusal(core(user).listNode())).toMatchObject({ code: 403 });
    }
  });

  test("what OpenShift lets everybody see: roles, storage classes and the runtimes for all", async () => {
    for (const user of others) {
      const config = cluster.config(user);
      const { items } = await config.makeApiClient(StorageV1Api).listStorageClass();
      expect(items.map(({ metadata }) => metadata?.name)).toEqual(["managed-csi"]);
      const { items: roles } = await config.makeApiClient(RbacAuthorizationV1Api).listClusterRole();
      expect(roles.length).toBeGreaterThan(50);
      const runtimes = { group: "serving.kserve.io", version: "v1alpha1", plural: "clusterservingruntimes" };
      await config.makeApiClient(CustomObjectsApi).listClusterCustomObject(runtimes);
    }
  });

  test("a binding to view, edit or admin covers what OpenShift AI adds to them", async () => {
    await makeProject("models");
    await bind("models", "admin", "User", "team-lead");
    await bind("models", "edit", "Group", "data-scientists");
    await bind("models", "view", "Group", "viewers");
    const kinds = [
      ["serving.kserve.io", "inferenceservices"],
      ["serving.kserve.io", "servingruntimes"],
      ["kubeflow.org", "notebooks"],
      ["datasciencepipelinesapplications.opendatahub.io", "datasciencepipelinesapplications"],
      ["route.openshift.io", "routes"],
      ["external-secrets.io", "externalsecrets"],
      ["monitoring.coreos.com", "servicemonitors"],
    ] as const;
    for (const [group, resource] of kinds) {
      for (const user of others) expect(await may(user, "list", group, resource, "models")).toBe(true);
      expect(await may("team-lead", "create", group, resource, "models")).toBe(true);
      expect(await may("data-scientist", "patch", group, resource, "models")).toBe(true);
      expect(await may("viewer", "create", group, resource, "models")).toBe(false);
      expect(await may("data-scientist", "list", group, resource, "closed")).toBe(false);
    }
    expect(await may("team-lead", "create", "rbac.authorization.k8s.io", "rolebindings", "models")).toBe(
      true,
    );
    expect(await may("data-scientist", "create", "rbac.authorization.k8s.io", "rolebindings", "models")).toBe(
      false,
    );
    expect(await may("viewer", "get", "", "secrets", "models")).toBe(false);
  });

  test("who administers a project gives away no more than there is to give", async () => {
    await makeProject("own");
    await bind("own", "admin", "User", "team-lead");
    const apiGroup = "rbac.authorization.k8s.io";
    const rbac = cluster.config("team-lead").makeApiClient(RbacAuthorizationV1Api);
    const give = (role: string) =>
      rbac.createNamespacedRoleBinding({
        namespace: "own",
        body: {
          metadata: { name: role },
          roleRef: { apiGroup, kind: "ClusterRole", name: role },
          subjects: [{ apiGroup, kind: "User", name: "viewer" }],
        },
      });
    expect(await refusal(give("view"))).toBeUndefined();
    expect(await refusal(give("cluster-admin"))).toMatchObject({ code: 403 });
  });
});

describe("an identity of the cloud", () => {
  test("is a user of the cluster, or nobody", async () => {
    const { principals } = (await cluster.daemon.client.status()) as unknown as {
      principals: { name: string; kubeconfig: string }[];
    };
    const users = Object.fromEntries(principals.map(({ name, kubeconfig }) => [name, kubeconfig]));
    expect(users.owner).toBe(cluster.kubeconfig("owner"));
    expect(users.contributor).toBe(cluster.kubeconfig("team-lead"));
    expect(users.reader).toBe(cluster.kubeconfig("viewer"));
    // Named all the same, so that no client turns to another cluster, but not there.
    const { exitCode, stderr } = await cluster.kubectl(["get", "pods", `--kubeconfig=${users.stranger}`]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("stranger.yaml");
  });
});
