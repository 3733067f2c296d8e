/** An object as it is applied, and where. */
export interface SetUpObject {
  /** Path at the API server, name included. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const rbac = "rbac.authorization.k8s.io";
const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];

/** What a project's people work with beyond Kubernetes' own kinds, by group; `read` of all, and `write` of these. */
const projectKinds: Readonly<Record<string, readonly string[]>> = {
  "serving.kserve.io": ["inferenceservices", "servingruntimes", "inferencegraphs", "trainedmodels"],
  "kubeflow.org": ["notebooks"],
  "datasciencepipelinesapplications.opendatahub.io": ["datasciencepipelinesapplications"],
  "route.openshift.io": ["routes", "routes/custom-host"],
  "external-secrets.io": ["secretstores", "externalsecrets"],
  "monitoring.coreos.com": ["servicemonitors", "prometheusrules"],
};

/** Who has what from the start, the nodes, and where volumes come from. */
export function setUpObjects(): SetUpObject[] {
  return [...rights(), ...nodes(), storageClass()];
}

function rights(): SetUpObject[] {
  const kinds = Object.entries(projectKinds);
  const rules = (verbs: readonly string[]) =>
    kinds.map(([group, resources]) => ({ apiGroups: [group], resources, verbs }));
  const statuses = kinds.map(([group, resources]) => ({
    apiGroups: [group],
    resources: resources.filter((each) => !each.includes("/")).map((each) => `${each}/status`),
    verbs: read,
  }));
  const queues = [{ apiGroups: ["kueue.x-k8s.io"], resources: ["localqueues", "workloads"], verbs: read }];
  return [
    clusterRoleBinding("kiln-platform-admins", "cluster-admin", "Group", "platform-admins"),
    // OpenShift AI adds to the roles that a project's bindings name: `view` is part of `edit`, and that of `admin`.
    clusterRole("opendatahub-view", [...rules(read), ...statuses, ...queues], "view"),
    clusterRole("opendatahub-edit", rules(write), "edit"),
    clusterRole(
      "opendatahub-admin",
      [{ apiGroups: ["kueue.x-k8s.io"], resources: ["localqueues"], verbs: write }],
      "admin",
    ),
    // What OpenShift lets everybody who signed in see of the cluster, and the runtimes that OpenShift AI offers to all.
    clusterRole("basic-user", [
      { apiGroups: [rbac], resources: ["clusterroles"], verbs: ["get", "list"] },
      { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: read },
      { apiGroups: ["serving.kserve.io"], resources: ["clusterservingruntimes"], verbs: read },
    ]),
    clusterRoleBinding("basic-users", "basic-user", "Group", "system:authenticated"),
    clusterRole("system:kwok", [
      { apiGroups: [""], resources: ["nodes"], verbs: read },
      { apiGroups: [""], resources: ["nodes/status", "pods/status"], verbs: ["patch", "update"] },
      { apiGroups: [""], resources: ["pods"], verbs: [...read, "delete", "patch", "update"] },
      {
        apiGroups: ["", "events.k8s.io"],
        resources: ["events"],
        verbs: [...read, "create", "patch", "update"],
      },
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        verbs: [...read, "create", "patch", "update", "delete"],
      },
    ]),
    clusterRoleBinding("system:kwok", "system:kwok", "User", "system:kwok"),
    // The controllers stand for operators, whose rights on a cluster are an administrator's.
    clusterRoleBinding("system:kiln-controllers", "cluster-admin", "User", "system:kiln-controllers"),
  ];
}

function clusterRole(
  name: string,
  rules: readonly object[],
  aggregateTo?: "view" | "edit" | "admin",
): SetUpObject {
  const labels = aggregateTo === undefined ? {} : { [`${rbac}/aggregate-to-${aggregateTo}`]: "true" };
  return {
    path: `/apis/${rbac}/v1/clusterroles/${name}`,
    body: { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name, labels }, rules },
  };
}

function clusterRoleBinding(
  name: string,
  role: string,
  kind: "User" | "Group",
  subject: string,
): SetUpObject {
  return {
    path: `/apis/${rbac}/v1/clusterrolebindings/${name}`,
    body: {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: rbac, kind, name: subject }],
    },
  };
}

/** Two workers and one with accelerators; many small models fit on each, since nothing really runs there. */
function nodes(): SetUpObject[] {
  const resources = { cpu: "256", memory: "1Ti", "ephemeral-storage": "1Ti", pods: "2000" };
  const accelerators = { "nvidia.com/gpu": "4" };
  const node = (name: string, own: { labels?: object; resources?: object }): SetUpObject[] => {
    const path = `/api/v1/nodes/${name}`;
    const identity = { apiVersion: "v1", kind: "Node" };
    const total = { ...resources, ...own.resources };
    return [
      {
        path,
        body: {
          ...identity,
          metadata: {
            name,
            labels: {
              "kubernetes.io/arch": "amd64",
              "kubernetes.io/hostname": name,
              "kubernetes.io/os": "linux",
              "node-role.kubernetes.io/worker": "",
              ...own.labels,
            },
          },
        },
      },
      {
        path: `${path}/status`,
        body: { ...identity, metadata: { name }, status: { allocatable: total, capacity: total } },
      },
    ];
  };
  return [
    ...node("worker-0", {}),
    ...node("worker-1", {}),
    ...node("gpu-0", { labels: { "nvidia.com/gpu.present": "true" }, resources: accelerators }),
  ];
}

/** As Azure Red Hat OpenShift has it by default. */
function storageClass(): SetUpObject {
  const name = "managed-csi";
  return {
    path: `/apis/storage.k8s.io/v1/storageclasses/${name}`,
    body: {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "disk.csi.azure.com",
      parameters: { skuname: "Premium_LRS" },
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    },
  };
}
