import { remembered } from "../remembered.ts";
import { fieldKind, isCredentialName, isRandomByNature } from "./names.ts";
import { isReference, looksRandom, withoutPublicParts } from "./text.ts";

interface Shape {
  readonly what: string;
  readonly pattern: RegExp;
}

/** Shapes that are secrets wherever they stand. Sources: the issuers' own documentation of their token formats. */
const SHAPES: readonly Shape[] = [
  // 52 random characters, a fixed mark, two of date, 12 of platform data, the issuer's mark, a checksum: 84 in all.
  {
    what: "an Azure OpenAI key",
    pattern: /[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9][A-L][A-Za-z0-9]{12}AAABACOG[A-Za-z0-9]{4}/,
  },
  {
    what: "an Azure AI key",
    pattern: /[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9][A-L][A-Za-z0-9]{12}AAA[AE]ACOG[A-Za-z0-9]{4}/,
  },
  { what: "an Azure key", pattern: /[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{24}/ },
  { what: "an Azure storage or Cosmos DB key", pattern: /(?<!sha512-|[A-Za-z0-9+/])[A-Za-z0-9+/]{86}==/ },
  {
    what: "an Azure messaging key",
    pattern: /[A-Za-z0-9+/]{33}(?:\+AEh|\+ASb|\+ARm|AIoT)[A-P][A-Za-z0-9+/]{5}=/,
  },
  { what: "an Azure Functions key", pattern: /[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==/ },
  { what: "an Azure registry key", pattern: /[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}/ },
  { what: "an Azure search key", pattern: /[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}/ },
  { what: "an Azure cache key", pattern: /[A-Za-z0-9]{33}AzCa[A-P][A-Za-z0-9]{5}=/ },
  {
    what: "an Entra client secret",
    pattern: /(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}/,
  },
  { what: "a JSON web token", pattern: /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/ },
  { what: "a private key", pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { what: "a GitHub token", pattern: /gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}/ },
  { what: "a Pulumi token", pattern: /pul-[0-9a-f]{40}/ },
  { what: "an npm token", pattern: /npm_[A-Za-z0-9]{36}/ },
  { what: "an OpenAI key", pattern: /(?<![A-Za-z0-9])sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{40,}/ },
  { what: "an AWS key", pattern: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/ },
  { what: "a Slack token", pattern: /xox[abeoprs]-[A-Za-z0-9-]{10,}/ },
];

/** What secret a text contains by shape alone, whatever field it stands in. */
export const shapeOf = (text: string): string | undefined =>
  SHAPES.find(({ pattern }) => pattern.test(text))?.what;

/** Bounded, so that the time a text takes grows with its length only; the beginning of a value is enough to judge it. */
const VALUE = String.raw`(?:"(?<dq>[^"\n]{0,400})|'(?<sq>[^'\n]{0,400})|(?<bare>[^\s;"'&|<>,]{1,400}))`;
const CONNECTION = new RegExp(
  String.raw`(?<![A-Za-z])(?<name>AccountKey|SharedAccessKey|SharedSecretValue|AccessKey|ClientSecret|PrimaryKey|Password|Pwd)\s*=\s*${VALUE}`,
  "gi",
);
const ASSIGNMENT = new RegExp(
  String.raw`(?<![\w$.-])(?<name>[A-Za-z_][\w.-]{0,80})\\?["']?(?<sep>\s*(?:=|:)\s*)(?![=>:])\\?${VALUE}`,
  "g",
);
const FLAG = new RegExp(String.raw`(?<![\w-])--(?<name>[A-Za-z][\w-]{0,60})(?:=|\s+)(?!-)${VALUE}`, "g");
const SECRET_SET = new RegExp(String.raw`\bsecret\s+set\b[^\n]{0,400}?--value(?:=|\s+)${VALUE}`, "g");
const USER_INFO = /[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"']{0,256}:(?<bare>[^\s/@"']{1,256})@/gi;
const AUTHORIZATION = /\b(?:Bearer|Basic)\s+(?<bare>[A-Za-z0-9._~+/=-]{16,})/gi;
const SIGNATURE = /(?:^|[?&;\s])sig=(?<bare>[A-Za-z0-9%+/=_-]{16,})/gi;

interface Literal {
  readonly text: string;
  readonly quoted: boolean;
}

/** The literal that a match assigns; undefined for a variable, a placeholder, a reference. */
function literal(match: RegExpExecArray): Literal | undefined {
  const { dq, sq, bare } = match.groups ?? {};
  const text = dq ?? sq ?? bare?.replace(/[)}\]]+$/, "") ?? "";
  // A text that begins with a variable is put together from it ("$USER:$PASS"); the parts are judged where they are set.
  // PWD is where a shell is, if it is a folder.
  const put = /^(?:\$[\w({]|%\w+%|\{\{|@Microsoft\.|@[\w.-]*\/)/.test(text);
  const folder = match.groups?.name === "PWD" && text.startsWith("/");
  return put || folder || isReference(text) || isCredentialName(text)
    ? undefined
    : { text, quoted: bare === undefined };
}

/** Every match, also those inside the value of another (`sh -c "login --password x"`). */
function* overlapping(pattern: RegExp, text: string): Generator<RegExpExecArray> {
  const search = new RegExp(pattern);
  for (let match = search.exec(text); match !== null; match = search.exec(text)) {
    yield match;
    search.lastIndex = match.index + 1;
  }
}

/** Words in lower case with hyphens between them, as secrets of a vault are named. */
const isName = (text: string): boolean => /^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/.test(text) && !looksRandom(text);

/** `config.apiKey`, `keys[0]`, `read()`: code that fetches a value, not the value. */
const isCode = (text: string): boolean =>
  /[()]/.test(text) || /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[\w+\])+$/.test(text);

/**
 * What credential a text assigns, in whatever language it is written: connection strings, `NAME=value` in scripts, YAML,
 * command-line flags, URLs with a password, authorization headers, SAS signatures.
 */
export function assignmentIn(text: string): string | undefined {
  for (const match of overlapping(CONNECTION, text))
    if (literal(match)) return "a connection string with a key";
  for (const match of text.matchAll(USER_INFO)) if (literal(match)) return "a URL with a password";
  for (const match of text.matchAll(SIGNATURE)) if (literal(match)) return "a SAS signature";
  for (const match of text.matchAll(AUTHORIZATION)) {
    if (/\d/.test(match.groups?.bare ?? "")) return "an authorization header";
  }
  for (const match of overlapping(SECRET_SET, text)) if (literal(match)) return "a secret set by a command";
  for (const match of overlapping(FLAG, text)) {
    const value = literal(match);
    const flag = match.groups?.name ?? "";
    // `--secret` takes a secret's name in every tool that has it; a value has a flag of its own.
    if (value && flag === "secret" && isName(value.text)) continue;
    if (value && fieldKind(flag) === "secret" && !isCode(value.text)) return "a credential given by a flag";
  }
  for (const match of overlapping(ASSIGNMENT, text)) {
    const { name = "", sep = "" } = match.groups ?? {};
    const value = literal(match);
    if (value === undefined || fieldKind(name) !== "secret") continue;
    if (value.text.length < (sep.includes(":") && !value.quoted ? 8 : 4) || /^https?:\/\//.test(value.text))
      continue;
    const word = /^[A-Za-z]+$/.test(value.text);
    if (!value.quoted && (isCode(value.text) || (word && /\s/.test(sep)))) continue;
    return "a credential assigned in text";
  }
  return undefined;
}

const HEX_KEY = /(?<![0-9A-Za-z-])[0-9a-f]{32}(?![0-9A-Za-z-])/g;
/** What a text calls hexadecimal digits that are no key: a secret's version has the shape of one. */
const PUBLIC_HEX = /(?:version|etag|hash|sha\d*|md5|digest|checksum|revision|commit|id)\W{0,4}$/i;
const NEARBY = 80;
const KEYWORD =
  /api[\s_-]?key|subscription[\s_-]?key|openai|cognitive|azure[\s_-]?(?:ai|key)|secret|password|token|credential/i;
const ENDPOINT =
  /\.openai\.azure\.com|\.cognitiveservices\.azure\.com|\.services\.ai\.azure\.com|api\.cognitive\.microsoft\.com/i;

/** What stands around a text: the names above it and the values beside it. */
export interface Surroundings {
  /** Name of the field that holds the text. */
  readonly field: string;
  /** Whether that name, one above it or one beside it hints at credentials. */
  readonly hinted: boolean;
  /** Whether a value beside it is the endpoint of a model service. */
  readonly endpoint: boolean;
}

/** What secret a text holds judged by how random it is and by what stands around it. */
export function randomIn(text: string, around: Surroundings): string | undefined {
  if (isRandomByNature(around.field)) return undefined;
  const open = withoutPublicParts(text);
  for (const match of open.matchAll(HEX_KEY)) {
    if (PUBLIC_HEX.test(open.slice(Math.max(0, match.index - 24), match.index))) continue;
    const near = open.slice(Math.max(0, match.index - NEARBY), match.index + 32 + NEARBY);
    if (around.hinted || around.endpoint || KEYWORD.test(near) || ENDPOINT.test(text))
      return "a 32-digit hexadecimal key";
  }
  for (const match of open.matchAll(/[A-Za-z0-9+/=_.~-]{20,}/g)) {
    const before = open.slice(Math.max(0, match.index - 40), match.index);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const named =
      /(?:key|secret|token|passw|credential|auth|\bsas)[^\n]{0,24}$/i.test(line) &&
      !/(?:name|id|ur[il])\W*$/i.test(line);
    if ((around.hinted || named) && looksRandom(match[0])) return "random text beside a word for credentials";
  }
  return undefined;
}

/** A text of which nothing is known but itself. */
export const NOTHING_AROUND: Surroundings = { field: "", hinted: false, endpoint: false };

/** Words run together (`immediatePurgeDataOn30Days`): a property's name, however many words and numbers it has. */
function isWords(name: string): boolean {
  if (!/^[a-z]{2,}(?:[A-Z][a-z]+|\d{1,4})*$/.test(name)) return false;
  return name.length / (name.match(/[A-Z]?[a-z]+|\d+/g)?.length ?? 1) >= 4;
}

/** Whether a name (of a resource, of a key) is itself a secret. */
export const looksSecret = remembered(
  (name: string): boolean =>
    shapeOf(name) !== undefined ||
    assignmentIn(name) !== undefined ||
    randomIn(name, NOTHING_AROUND) !== undefined ||
    (name.length >= 24 && looksRandom(name) && !isReference(name) && !isWords(name)),
);
