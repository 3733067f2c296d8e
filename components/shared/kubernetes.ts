import { TAG_NAMES, type Tags } from "./tags.ts";
import type { FieldProblem } from "./validation.ts";

/** Longest name of a namespace, a Service or a label's value. Source: RFC 1123, kubernetes.io (object names and ids). */
export const DNS_LABEL_MAX = 63;

/** Name of a project's namespace. Pure; whether it is legal is for {@link dnsLabelProblem} to say. */
export function projectNamespace(workload: string, environment: string, project: string): string {
  return `${workload}-${environment}-${project}`;
}

/** A value made legal for a label: what is not allowed becomes a hyphen, ends are letters or digits, 63 characters. Pure. */
export function labelValue(value: string): string {
  const legal = value.replaceAll(/[^\w.-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return legal.slice(0, DNS_LABEL_MAX).replace(/[^A-Za-z0-9]+$/, "");
}

/** Whose an object is: the five tags under their own names, and that it is managed from here. Pure. */
export function kubernetesLabels(tags: Tags): Record<string, string> {
  const own = Object.fromEntries(TAG_NAMES.map((name) => [name, labelValue(tags[name])]));
  return { ...own, "app.kubernetes.io/managed-by": "kiln" };
}

/** What is wrong with a name that must be a DNS label, or undefined. Pure. */
export function dnsLabelProblem(
  field: string,
  name: string,
  longest = DNS_LABEL_MAX,
): FieldProblem | undefined {
  if (name.length < 1 || name.length > longest) {
    return { field, message: `"${name}" has ${name.length} characters; 1 to ${longest} are allowed` };
  }
  if (/^[a-z](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined;
  return { field, message: `"${name}" is not made of a-z, 0-9 and hyphens, first a letter, last no hyphen` };
}

/** What is wrong with an image that must be named by digest, or undefined. A tag may mean another image tomorrow. Pure. */
export function imageProblem(field: string, image: string): FieldProblem | undefined {
  if (/^[a-z0-9][\w.-]*(?::\d+)?(?:\/[\w.-]+)+@sha256:[0-9a-f]{64}$/.test(image)) return undefined;
  return { field, message: `"${image}" is not named by digest: registry/repository@sha256:<64 hex digits>` };
}
