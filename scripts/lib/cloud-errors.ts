import { catalogue, type Explanation, type Uncoded, uncoded, unreachable } from "./catalogue/index.ts";
import { exitCodes, KilnError } from "./errors.ts";

/** Whether a failure is of the way to the cloud, which says nothing of what was asked. */
export function isUnreachable(text: string): boolean {
  return unreachable.test(text);
}

/** The codes of the cloud that an error text names, in order. */
export function cloudCodes(text: string): string[] {
  if (/cannot create already existing resource/.test(text)) return ["AlreadyExists"];
  const quoted = [...text.matchAll(/\b(?:Code|code)["']?\s*[=:]\s*["']([A-Za-z]+)["']/g)].map(
    (found) => found[1] ?? "",
  );
  return [...new Set(quoted)];
}

/** The entry of the catalogue for a code in a text; undefined for one that it does not know. Pure. */
export function entryFor(code: string, text: string): Explanation | undefined {
  return catalogue.find(
    ({ codes, message }) => codes.includes(code) && (message === undefined || message.test(text)),
  );
}

/** Whether a failure with this code is gone when the same is tried again a moment later. */
export function passesByItself(code: string): boolean {
  return catalogue.some(({ transient, codes }) => transient === true && codes.includes(code));
}

/**
 * Whether a failure means that the region is full, and nothing else is wrong that another region would not mend either: the one
 * place that decides whether Kiln goes elsewhere. What passes by itself does not speak against it; entitlement, models,
 * permissions, names, and what the catalogue does not know, do. Pure.
 */
export function isRegionFull({ codes, cause }: Pick<KilnError, "codes" | "cause">): boolean {
  const entries = codes.map((code) => entryFor(code, cause));
  return (
    entries.some((entry) => entry?.capacity === true) &&
    entries.every((entry) => entry?.capacity === true || entry?.transient === true)
  );
}

/** Where the failure happened, as far as it is known. */
export interface Where {
  /** The region that the run was building in. */
  readonly region?: string | undefined;
}

/**
 * Puts the engine's error texts into plain words. Failures side by side are all told, and the raw texts come along. Pure.
 * @param texts one for each thing that failed
 */
export function explain(texts: readonly string[], where: Where = {}): KilnError {
  const raw = texts.map((each) => each.replace(/^error: /, "")).join("\n");
  const codes = cloudCodes(raw);
  const found = new Map<Explanation | Uncoded, string>();
  for (const code of codes) {
    const entry = entryFor(code, raw);
    if (entry !== undefined && !found.has(entry)) found.set(entry, code);
  }
  if (found.size === 0) {
    const entry = uncoded.find((each) => each.message.test(raw));
    if (entry !== undefined) found.set(entry, entry.code);
  }
  const [first] = found;
  if (first === undefined) return unexplained(raw, codes);
  const [{ exitCode = exitCodes.failed }, code] = first;
  const all = [...found.keys()];
  const each = (between: string, part: (entry: Explanation | Uncoded) => string) =>
    [...new Set(all.map(part))].join(between).replaceAll("{region}", where.region ?? "the region");
  const trouble = {
    code,
    codes: codes.length > 0 ? codes : [code],
    message: each("; ", ({ what }) => what),
    cause: `${each(" ", ({ why, consequence }) => `${why} ${consequence}`)}\n${raw}`,
    next: each("\n", ({ next }) => next),
  };
  return new KilnError(trouble, exitCode);
}

/** A failure that the catalogue does not know: its first line is what failed, the others are why. */
function unexplained(raw: string, codes: readonly string[]): KilnError {
  const [message = "", ...rest] = raw.trim().split("\n");
  const cause = rest.join("\n").trim();
  return new KilnError({
    code: codes[0] ?? "OperationFailed",
    codes,
    message: message || "the operation failed",
    cause: cause || "That is all the engine, or the cloud, says of it.",
    next: "What was made stays recorded; mend the cause and run it again.",
  });
}
