/** A resource of a stack's record, as far as it is read here. */
export interface RecordedResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly dependencies?: readonly string[];
  readonly customTimeouts?: Readonly<Record<string, number>>;
}

/** Kinds of the official SDK whose class and token differ from the rest: what is not Kubernetes' own has one class for all. */
const ownGroups =
  /^(core|apps|batch|autoscaling|policy|storage\.k8s\.io|networking\.k8s\.io|rbac\.authorization\.k8s\.io)$/;

/**
 * The text of an ordinary Pulumi program that makes the same Kubernetes resources as a recorded stack, with the same order among them:
 * one resource after the other with literal values, as someone without components would write it. Names of namespaces differ,
 * so that both can stand in one cluster. Pure.
 * @param rename what a namespace's name begins with, and what it is to begin with
 */
export function plainServing(
  resources: readonly RecordedResource[],
  rename: { readonly from: string; readonly to: string },
): string {
  const mine = resources.filter(({ custom, type }) => custom && type.startsWith("kubernetes:"));
  const names = new Map(mine.map(({ urn }, at) => [urn, `r${at}`]));
  const lines = mine.map((resource) => {
    const { urn, inputs, dependencies = [], customTimeouts } = resource;
    const after = dependencies.flatMap((each) => names.get(each) ?? []);
    const timeouts = Object.entries(customTimeouts ?? {}).map(([what, seconds]) => [what, `${seconds}s`]);
    const options = {
      ...(timeouts.length === 0 ? {} : { customTimeouts: Object.fromEntries(timeouts) }),
    };
    const values = JSON.stringify(inputs).replaceAll(`"${rename.from}`, `"${rename.to}`);
    const name = JSON.stringify(urn.slice(urn.lastIndexOf("::") + 2));
    const wanted = `{ ...${JSON.stringify(options)}, dependsOn: [${after.join(", ")}] }`;
    return `const ${names.get(urn)} = new ${classOf(resource.type)}(${name}, ${values}, ${wanted});`;
  });
  return `import * as k8s from "@pulumi/kubernetes";\n${lines.join("\n")}\n`;
}

function classOf(type: string): string {
  const [, group = "", version = "", kind = ""] = /^kubernetes:([^/]+)\/([^:]+):(.+)$/.exec(type) ?? [];
  if (!ownGroups.test(group)) return "k8s.apiextensions.CustomResource";
  return `k8s.${group.split(".")[0]}.${version}.${kind}`;
}
