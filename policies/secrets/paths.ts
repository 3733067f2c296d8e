import type { Props, Value } from "../model.ts";
import { looksSecret } from "./shapes.ts";

/** A property inside another, with the path by which messages and exemptions name it. */
export interface Child {
  /** The key in an object, the index in a list. */
  readonly key: string;
  readonly value: Value;
  readonly path: string;
}

/**
 * What is directly inside a value. Paths read `a.b["c.d"][name=X]`: an entry of a list goes by its own `name` where it has one,
 * so that a path stays true when entries move; a key that is itself a secret is withheld.
 */
export function childrenOf(value: Props | readonly Value[], path: string): Child[] {
  if (!Array.isArray(value)) {
    return Object.entries(value as Props).map(([key, child]) => ({
      key,
      value: child,
      path: join(path, key),
    }));
  }
  const list: readonly Value[] = value;
  const names = list.map(nameOf);
  const counts = new Map<string | undefined, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return list.map((child, index) => {
    const name = names[index];
    const own = name !== undefined && counts.get(name) === 1;
    return { key: String(index), value: child, path: `${path}[${own ? `name=${name}` : index}]` };
  });
}

function nameOf(item: Value): string | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const name = (item as Props).name;
  return typeof name === "string" && /^[\w.:-]{1,64}$/.test(name) && !looksSecret(name) ? name : undefined;
}

function join(path: string, key: string): string {
  if (looksSecret(key) || key.length > 128) return `${path}["(withheld)"]`;
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
