import type { Props, Value } from "../model.ts";
import { remembered } from "../remembered.ts";
import { fieldKind, hintsAtSecret, isCredentialName, isPassword } from "./names.ts";
import { type Child, childrenOf } from "./paths.ts";
import { assignmentIn, looksSecret, NOTHING_AROUND, randomIn, type Surroundings, shapeOf } from "./shapes.ts";
import { decodeBase64, isReference } from "./text.ts";

/** A secret found: where, and what it looks like. Neither ever holds a part of it. */
export interface Finding {
  readonly path: string;
  readonly what: string;
}

/** How deep encodings are opened: JSON in base64 in a property is two. */
const DEEPEST_ENCODING = 2;

interface Frame {
  readonly value: Value;
  readonly path: string;
  readonly around: Surroundings;
  /** The objects above this one, innermost first: a value that contains itself is walked once. */
  readonly above: Above | undefined;
}

interface Above {
  readonly object: object;
  readonly next: Above | undefined;
}

/**
 * Every secret in the properties of a resource, in the order of the properties.
 *
 * @param isName whether what stands at a path only names a credential, whatever the field is called; it is judged by its shape
 */
export const findSecrets = (props: Props, isName: (path: string) => boolean = () => false): Finding[] =>
  walk({ value: props, path: "", around: NOTHING_AROUND, above: undefined }, 0, isName);

function walk(root: Frame, encodings: number, isName: (path: string) => boolean = () => false): Finding[] {
  const found: Finding[] = [];
  // A stack of its own: the depth of a property is its author's choice, and running out of stack would be a way out.
  const frames: Frame[] = [root];
  for (let frame = frames.pop(); frame !== undefined; frame = frames.pop()) {
    const { value, path } = frame;
    const around = isName(path) ? { ...frame.around, field: "" } : frame.around;
    if (typeof value === "string") found.push(...inText(value, path, around, encodings));
    else if (typeof value === "number" && isPassword(around.field))
      found.push({ path, what: "a password in digits" });
    else if (typeof value === "object" && value !== null && !isAbove(value, frame.above)) {
      const { keys, children } = open(value as Props | readonly Value[], frame);
      found.push(...keys);
      frames.push(...children.reverse());
    }
  }
  return found;
}

function isAbove(object: object, above: Above | undefined): boolean {
  for (let each = above; each !== undefined; each = each.next) if (each.object === object) return true;
  return false;
}

function open(value: Props | readonly Value[], frame: Frame): { keys: Finding[]; children: Frame[] } {
  const above: Above = { object: value, next: frame.above };
  const children = childrenOf(value, frame.path);
  if (isList(value)) {
    return {
      keys: givenByFlags(children),
      children: children.map((child): Frame => ({ ...child, around: frame.around, above })),
    };
  }
  const keys = children
    .filter(({ key }) => looksSecret(key))
    .map(() => ({ path: `${frame.path}(a key of it)`, what: "a secret used as a key" }));
  const around = surroundings(value, frame.around);
  const frames = children.map(({ key, value: child, path }): Frame => {
    const field = governingName(value, key, frame.around.field);
    const hinted = around.hinted || hintsAtSecret(field);
    return { value: child, path, around: { ...around, field, hinted }, above };
  });
  return { keys, children: frames };
}

/** Arguments one by one: `["--password", "…"]` says what `--password …` says in one text. */
function givenByFlags(children: readonly Child[]): Finding[] {
  return children.flatMap(({ value, path }, index): Finding[] => {
    const flag = children[index - 1]?.value;
    if (typeof value !== "string" || typeof flag !== "string" || value.startsWith("-")) return [];
    const name = /^--?([A-Za-z][\w.-]{1,60})$/.exec(flag)?.[1];
    return name === undefined || byField(value, name) === undefined
      ? []
      : [{ path, what: "a credential given by a flag" }];
  });
}

const isList = (value: Props | readonly Value[]): value is readonly Value[] => Array.isArray(value);

/** Names that say nothing: what is in them is named by an entry's own `name`, or by the field above. */
const NAMELESS = new Set(["value", "val", "content", "default", "defaultvalue", "text"]);
const ENTRY_NAMES = ["name", "key", "keyName"] as const;

/** The name that speaks for a property: its key, or the name of its entry in a list of `{ name, value }`. */
function governingName(holder: Props, key: string, above: string): string {
  if (!NAMELESS.has(key.toLowerCase())) return key;
  for (const candidate of ENTRY_NAMES) {
    const name = holder[candidate];
    // In a list called `secrets` every value is one, however it is named.
    if (typeof name === "string" && name !== "") return above === "secrets" ? `${name}-secret` : name;
  }
  return above === "" ? key : above;
}

/** What the neighbours of a property say, for all of one object's properties. */
function surroundings(holder: Props, outer: Surroundings): Surroundings {
  const values = Object.values(holder).filter((value) => typeof value === "string");
  const named = ENTRY_NAMES.some((key) => {
    const name = holder[key];
    return typeof name === "string" && name.length <= 128 && hintsAtSecret(name);
  });
  const user = Object.keys(holder).some((key) =>
    /^(?:user|username|login|adminlogin|administratorlogin)$/i.test(key),
  );
  return {
    field: outer.field,
    hinted: outer.hinted || named || user,
    endpoint: values.some((value) => /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com/i.test(value)),
  };
}

function inText(text: string, path: string, around: Surroundings, encodings: number): Finding[] {
  return judged(text, around, encodings).map(({ path: inside, what }) => ({ path: path + inside, what }));
}

/** The secrets in a text, with the path inside it. Labels, and much else, are the same in all resources. */
const judged = remembered(
  judgeText,
  (text, { field, hinted, endpoint }, encodings) => `${encodings},${hinted},${endpoint},${field}\0${text}`,
);

function judgeText(text: string, around: Surroundings, encodings: number): readonly Finding[] {
  const path = "";
  const shape = shapeOf(text);
  if (shape !== undefined) return [{ path, what: shape }];
  const json = encodings < DEEPEST_ENCODING ? parseJson(text) : undefined;
  const inside =
    json !== undefined
      ? walk({ value: json, path: "(json)", around, above: undefined }, encodings + 1)
      : encodings < DEEPEST_ENCODING
        ? inBase64(text, around, encodings + 1)
        : [];
  if (inside.length > 0) return inside;
  // JSON is judged as text too, since a parser keeps only the last of two equal keys; what looks random in it was judged
  // where it stands.
  const what = byField(text, around.field) ?? assignmentIn(text);
  if (what !== undefined) return [{ path, what }];
  const random = json !== undefined || isReference(text) ? undefined : randomIn(text, around);
  return random === undefined ? [] : [{ path, what: random }];
}

function byField(text: string, field: string): string | undefined {
  const kind = fieldKind(field);
  if (kind === "plain" || isReference(text) || isCredentialName(text)) return undefined;
  if (kind === "secret") return "a value in a field named like a credential";
  // A connection string may be no more than an address: Application Insights calls its instrumentation key no secret
  // (https://learn.microsoft.com/azure/azure-monitor/app/connection-strings), and SQL with Entra sign-in has no password.
  // The credential that it may carry is what assignmentIn looks for; anything that is not `name=value` is taken for one.
  return /^\s*[\w .-]+=[^;]*(?:;|$)/.test(text) || /^[a-z][a-z0-9+]*:\/\//i.test(text)
    ? undefined
    : "a value in a field named like a connection string";
}

function inBase64(text: string, around: Surroundings, encodings: number): Finding[] {
  for (const match of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) {
    const decoded = decodeBase64(match[0]);
    if (decoded === undefined) continue;
    // The field's name was about the encoded text; what is inside is judged by itself.
    const inner = inText(decoded, "(base64)", { ...around, field: "" }, encodings);
    if (inner.length > 0) return inner;
  }
  const whole = /\s/.test(text) ? decodeBase64(text) : undefined;
  return whole === undefined ? [] : inText(whole, "(base64)", { ...around, field: "" }, encodings);
}

function parseJson(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined; // not JSON after all: the text is judged as text
  }
}
