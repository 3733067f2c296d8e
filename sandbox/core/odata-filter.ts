/** One condition of an OData `$filter`. */
export interface Condition {
  /** `any` is equality with one of a collection's members. */
  readonly operator: "eq" | "ne" | "startswith" | "contains" | "any";
  /** The property's name as the client wrote it. */
  readonly field: string;
  readonly value: string;
}

/** A filter as alternatives, each of which holds when all of its conditions do. */
export type Filter = readonly (readonly Condition[])[];

const text = "'((?:[^']|'')*)'";
const field = "([A-Za-z][\\w/.]*)";
const conditions: readonly [pattern: RegExp, operator: Condition["operator"], swapped: boolean][] = [
  [
    new RegExp(`^([A-Za-z]\\w*)/any\\(\\s*(?<it>\\w+)\\s*:\\s*\\k<it>\\s+eq\\s+${text}\\s*\\)`, "i"),
    "any",
    false,
  ],
  [new RegExp(`^startswith\\(\\s*${field}\\s*,\\s*${text}\\s*\\)`, "i"), "startswith", false],
  [new RegExp(`^contains\\(\\s*${field}\\s*,\\s*${text}\\s*\\)`, "i"), "contains", false],
  [new RegExp(`^substringof\\(\\s*${text}\\s*,\\s*${field}\\s*\\)`, "i"), "contains", true],
  [new RegExp(`^${field}\\s+eq\\s+${text}`, "i"), "eq", false],
  [new RegExp(`^${field}\\s+ne\\s+${text}`, "i"), "ne", false],
];

/**
 * Reads the part of OData's `$filter` that the cloud's lists take: conditions on text joined by `and` and `or`, without
 * parentheses.
 * @returns undefined for anything else
 */
export function parseFilter(filter: string): Filter | undefined {
  const alternatives: Condition[][] = [[]];
  let rest = filter.trim();
  for (;;) {
    const found = match(rest);
    if (found === undefined) return undefined;
    alternatives.at(-1)?.push(found.condition);
    rest = found.rest;
    if (rest === "") return alternatives;
    const joined = /^\s+(and|or)\s+/i.exec(rest);
    if (joined === null) return undefined;
    if (joined[1]?.toLowerCase() === "or") alternatives.push([]);
    rest = rest.slice(joined[0].length);
  }
}

function match(rest: string): { condition: Condition; rest: string } | undefined {
  for (const [pattern, operator, swapped] of conditions) {
    const found = pattern.exec(rest);
    if (found === null) continue;
    const [first = "", second = ""] = [found[1], found.at(-1)];
    const [name, quoted] = swapped ? [second, first] : [first, second];
    return {
      condition: { operator, field: name, value: quoted.replaceAll("''", "'") },
      rest: rest.slice(found[0].length),
    };
  }
  return undefined;
}

/** Whether a property's value meets a condition, without regard to case. */
export function meets(condition: Condition, actual: string | readonly string[] | undefined): boolean {
  const wanted = condition.value.toLowerCase();
  const values = (typeof actual === "string" ? [actual] : (actual ?? [])).map((each) => each.toLowerCase());
  switch (condition.operator) {
    case "eq":
    case "any":
      return values.includes(wanted);
    case "ne":
      return !values.includes(wanted);
    case "startswith":
      return values.some((each) => each.startsWith(wanted));
    case "contains":
      return values.some((each) => each.includes(wanted));
  }
}
