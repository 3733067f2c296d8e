/** One step of a property's path: a name, an index, or any of both. */
export type Step = string | number;

/** Every step of a path stands for any name or index where it is this. */
const any = "*";

const token = /^(?:\.?([^.[\]"]+)|\[(\d+)\]|\[\*\]|\.?\["((?:[^"\\]|\\.)*)"\])/;

/**
 * A property's path as the engine and programs write it: `spec.replicas`, `metadata.annotations["a.b/c"]`, `spec.ports[0].port`,
 * `spec.ports[*].port`. Undefined for what is none.
 */
export function parsePropertyPath(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (let rest = path; rest !== ""; ) {
    const found = token.exec(rest);
    if (found === null) return undefined;
    const [whole, name, index, quoted] = found;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? quoted?.replace(/\\(.)/g, "$1") ?? any);
    rest = rest.slice(whole.length);
  }
  return steps;
}

/** Whether a path leads to another, or above it. */
export function containsPath(outer: readonly Step[], inner: readonly Step[]): boolean {
  return outer.length <= inner.length && outer.every((step, at) => step === any || step === inner[at]);
}

/** A path, with one more name, as the real provider writes it: only what would be taken for more than a name is quoted. */
export function appendName(path: string, name: string): string {
  if (/[."[\]]/.test(name)) return `${path}["${name.replaceAll('"', '\\"')}"]`;
  return path === "" ? name : `${path}.${name}`;
}
