import { fileURLToPath } from "node:url";
import { goRecipe } from "../recipe.ts";
import type { ControlPlane } from "../types.ts";

/**
 * The pinned control plane. All of it can be built from Go modules, and was tried together. Kubernetes' staging modules carry its
 * version as v0.<minor>.<patch>; kubectl comes with it.
 */
export const pinned = { etcd: "3.6.5", kubernetes: "1.35.4", kwok: "0.7.0" } as const;

/** What comes in one version: programs of a group must fit each other. */
export type Group = keyof typeof pinned;

/** A program of the control plane, by the name of its executable. */
export type ProgramName = (typeof groups)[Group][number];

export const groups = {
  etcd: ["etcd"],
  kubernetes: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"],
  kwok: ["kwok"],
} as const;

/** In the order in which they are built, and under which key each is handed out. */
export const programs: readonly {
  name: ProgramName;
  group: Group;
  key: keyof ControlPlane["binaries"];
  /** Import path of its main package. */
  packagePath: string;
  /** Arguments by which it prints its version. */
  versionArgs: readonly string[];
}[] = [
  program("etcd", "etcd", "etcd", "go.etcd.io/etcd/server/v3"),
  program("kube-apiserver", "kubernetes", "kubeApiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
  program(
    "kube-controller-manager",
    "kubernetes",
    "kubeControllerManager",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
  ),
  program("kube-scheduler", "kubernetes", "kubeScheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
  {
    ...program("kubectl", "kubernetes", "kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    versionArgs: ["version", "--client"],
  },
  program("kwok", "kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
];

function program<Key extends keyof ControlPlane["binaries"]>(
  name: ProgramName,
  group: Group,
  key: Key,
  packagePath: string,
) {
  return { name, group, key, packagePath, versionArgs: ["--version"] as readonly string[] };
}

/** Go variables by which the Kubernetes programs know their version; without them they say `v0.0.0-master`. */
export const versionVariables: Readonly<Record<string, string>> = Object.fromEntries(
  ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => {
    const [major = "", minor = ""] = pinned.kubernetes.split(".");
    return [
      [`${path}.gitVersion`, `v${pinned.kubernetes}`],
      [`${path}.gitMajor`, major],
      [`${path}.gitMinor`, minor],
    ];
  }),
);

/**
 * Where the definitions of custom resources lie in their official modules, each with the name of its file as controller-gen writes
 * it (`<group>_<plural>.yaml`) unless `file` says otherwise.
 */
export const crdSources: readonly {
  /** A module that modules/crds pins. */
  module: string;
  folder: string;
  group: string;
  plurals: readonly string[];
  /** Name of the file in `folder`. */
  file?: (plural: string) => string;
}[] = [
  {
    module: "github.com/kserve/kserve",
    folder: "config/crd/full",
    group: "serving.kserve.io",
    plurals: [
      "clusterservingruntimes",
      "clusterstoragecontainers",
      "inferencegraphs",
      "inferenceservices",
      "localmodelcaches",
      "localmodelnodegroups",
      "localmodelnodes",
      "servingruntimes",
      "trainedmodels",
    ],
  },
  {
    module: "github.com/openshift/api",
    folder: "route/v1/zz_generated.crd-manifests",
    group: "route.openshift.io",
    plurals: ["routes"],
    file: (plural) => `${plural}.crd.yaml`,
  },
  {
    module: "github.com/external-secrets/external-secrets",
    folder: "config/crds/bases",
    group: "external-secrets.io",
    plurals: ["clustersecretstores", "externalsecrets", "secretstores"],
  },
  {
    module: "github.com/prometheus-operator/prometheus-operator",
    folder: "example/prometheus-operator-crd",
    group: "monitoring.coreos.com",
    plurals: ["prometheusrules", "servicemonitors"],
  },
  {
    module: "sigs.k8s.io/kueue",
    folder: "config/components/crd/bases",
    group: "kueue.x-k8s.io",
    plurals: [
      "admissionchecks",
      "clusterqueues",
      "cohorts",
      "localqueues",
      "multikueueclusters",
      "multikueueconfigs",
      "provisioningrequestconfigs",
      "resourceflavors",
      "topologies",
      "workloadpriorityclasses",
      "workloads",
    ],
  },
];

/** One definition: the module and the path in it that it comes from, and the name of its file in the kit. */
export type Crd = { module: string; from: string; file: string };

export const crds: readonly Crd[] = crdSources.flatMap(({ module, folder, group, plurals, file }) =>
  plurals.map((plural) => {
    const name = `${group}_${plural}.yaml`;
    return { module, from: `${folder}/${file?.(plural) ?? name}`, file: name };
  }),
);

/** Main modules that pin, with go.sum, every module of the control plane. */
export const moduleDirs = {
  etcd: fileURLToPath(new URL("../modules/etcd/", import.meta.url)),
  kubernetes: fileURLToPath(new URL("../modules/kubernetes/", import.meta.url)),
  kwok: fileURLToPath(new URL("../modules/kwok/", import.meta.url)),
  crds: fileURLToPath(new URL("../modules/crds/", import.meta.url)),
} as const;

/** Identifies what a build makes. */
export async function buildRecipe(): Promise<string> {
  return await goRecipe([pinned, programs, versionVariables, crds], Object.values(moduleDirs));
}
