import { createHash } from "node:crypto";
import { KEY_SHAPES, matchesOf, NOT_AFTER } from "../keys/shapes.ts";
import { isPlaceholder, looksRandom } from "./placeholders.ts";

/** A stretch of a text: the secret and nothing beside it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What the scan looks for. */
export interface Rule {
  /** Name, as allowances call it. */
  readonly id: string;
  /** What it finds, in words that go on a sentence. */
  readonly title: string;
  /** People may have chosen the secret, so that it could be guessed from a plain hash. */
  readonly chosen?: boolean;
  readonly find: (text: string) => Iterable<Span>;
}

/** Where the group `secret` of each match is, unless a placeholder stands there. */
function* secretsOf(text: string, pattern: RegExp, marks: RegExp): Generator<Span & { value: string }> {
  if (!marks.test(text)) return;
  for (const match of text.matchAll(pattern)) {
    const [start, end] = match.indices?.groups?.secret ?? [0, 0];
    const value = text.slice(start, end);
    if (!isPlaceholder(value)) yield { start, end, value };
  }
}

/** What is on the same line, so far around a stretch. */
function lineAround(text: string, { start, end }: Span, reach: number): { before: string; after: string } {
  const before = text.slice(Math.max(0, start - reach), start);
  const [after = ""] = text.slice(end, end + reach).split("\n", 1);
  return { before: before.slice(before.lastIndexOf("\n") + 1), after };
}

const KEYWORD =
  /api[\s_-]?key|subscription[\s_-]?key|openai|cognitive|azure[\s_-]?(?:ai|key)|ocp-apim|secret|passw|token|credential/i;
const ENDPOINT =
  /\.openai\.azure\.com|\.cognitiveservices\.azure\.com|\.services\.ai\.azure\.com|api\.cognitive\.microsoft\.com/i;
/** What a text calls hexadecimal digits that are no key. */
const PUBLIC_HEX =
  /(?:version|etag|hash|sha\d*|md5|digest|checksum|revision|commit|trace|span|operation|correlation|request|tenant|subscription|object|fingerprint|uuid|guid|id)["'\s]*[=:/( ]{0,3}["']?$/i;
/** A version of a secret has the shape of a key, and stands at the end of its address. */
const SECRET_VERSION = /(?<!\w)secrets\/[\w-]+\/$/;

/**
 * Values of a key's form that everybody has, by SHA-256: the keys of the storage and Cosmos DB emulators, printed in
 * their documentation, and the marks by which Pulumi tells secrets, references, outputs, assets and archives in every state.
 */
const EVERYBODYS = new Set([
  "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
  "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",
  "42a8af5aab5958b8fa98a667ae9e2a8ed7a25f20d0ca99ad2357688c4d471e98",
  "5e56393271db3db7608d079d31ccf8640e0ed44cba3d1c1967bbca1871735a8d",
  "7647425ba1addc8fa946135e3dc1ee7dccb09b10fa6fca7e5a1a28b0d1c9fbae",
  "295bb567703963a57ad4456d83e9602e434a7686ae2a4c19174fc43f9889cc31",
  "e7e8f06ed950ca4dbc2c86d083058e078be4a9283f8180cd76bc7a295004cc89",
  "9d9da52943d617a97ebb0e93c1874850295eeeaa2185ece2f9ecd099086f2869",
]);
const isEverybodys = (key: string): boolean => EVERYBODYS.has(createHash("sha256").update(key).digest("hex"));

/** Longer rows are hashes. Whole rows at once, since most of any text is looked at here. */
const HEX_ROW = /[0-9a-f]{32,}/g;
/** What a row of digits may follow and be a whole word: the letter of an escape is no part of it. */
const APART_FROM_HEX = /(?:^|\\[nrtbf]|%[0-9A-F]{2}|[^0-9A-Za-z-])$/;

/** 32 hexadecimal digits are a key of yesterday or one of a hundred other things; what stands around them tells. */
function* legacyKeys(text: string): Generator<Span> {
  for (const { index: start, 0: value } of text.matchAll(HEX_ROW)) {
    const end = start + 32;
    if (value.length !== 32 || /[0-9A-Za-z-]/.test(text.charAt(end))) continue;
    const before = text.slice(Math.max(0, start - 80), start);
    if (!APART_FROM_HEX.test(before.slice(-3))) continue;
    if (PUBLIC_HEX.test(before) || SECRET_VERSION.test(before) || isPlaceholder(value)) continue;
    const near = before + text.slice(end, end + 80);
    const wide = text.slice(Math.max(0, start - 240), end + 240);
    if ((KEYWORD.test(near) || ENDPOINT.test(wide)) && !isEverybodys(value)) yield { start, end };
  }
}

/** 64 bytes in base64. Half the world's code has two equals signs, so it is looked for before them only. */
const LONG_KEY = { pattern: /[A-Za-z0-9+/]{86}==(?!=)/, marks: ["=="], before: 86 };
const APART = /(?:^|\\[nrtbf]|%[0-9A-F]{2}|[^A-Za-z0-9+/-])$/;
const LONG_KEY_NAME = /key|storage|account|cosmos|documentdb|secret|credential/i;
const NAMED_KEY = new RegExp(
  String.raw`${NOT_AFTER("[A-Za-z]")}(?:AccountKey|SharedAccessKey|SharedSecretValue|AccessKey|PrimaryKey|SecondaryKey)["']?\s*[=:]\s*\\?["']?(?<secret>[A-Za-z0-9+/]{20,128}={0,2})`,
  "dgi",
);

function* accountKeys(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(
    text,
    NAMED_KEY,
    /(?:Account|Access|Primary|Secondary)Key|SharedSecretValue/i,
  )) {
    if (looksRandom(value) && !isEverybodys(value)) yield span;
  }
  for (const span of matchesOf(LONG_KEY, text)) {
    if (!APART.test(text.slice(Math.max(0, span.start - 3), span.start))) continue;
    if (isEverybodys(text.slice(span.start, span.end))) continue;
    if (LONG_KEY_NAME.test(lineAround(text, span, 120).before)) yield span;
  }
}

const PASSWORD = new RegExp(
  String.raw`${NOT_AFTER("[A-Za-z]")}(?:Password|Pwd)\s*=\s*(?:\\?"(?<dq>[^"\n]{1,200})|'(?<sq>[^'\n]{1,200})|(?<secret>[^;"'\s\\]{1,200}))`,
  "dgi",
);
/** What else is in a string that connects: it is not one by its password alone. */
const SIBLING =
  /(?:^|[;,"'\s])(?:Server|Data Source|Host(?:name)?|Addr(?:ess)?|Network Address|User(?: ?Id|name)?|Uid|Database|Initial Catalog|Endpoint|AccountName|Port|ssl|abortConnect|Encrypt|TrustServerCertificate)\s*=/i;

/** `process.env.DB_PASSWORD`, `groups?.password`: code that fetches a value, not the value. */
const FETCHED = /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$/;

function* connectionPasswords(text: string): Generator<Span> {
  if (!/(?:password|pwd)\s*=/i.test(text)) return;
  for (const match of text.matchAll(PASSWORD)) {
    const groups = match.indices?.groups;
    const [start, end] = groups?.dq ?? groups?.sq ?? groups?.secret ?? [0, 0];
    // Redis separates by commas.
    const [value = ""] = text.slice(start, end).split(",", 1);
    if (isPlaceholder(value) || FETCHED.test(value)) continue;
    const { before, after } = lineAround(text, { start: match.index, end }, 300);
    const separated =
      /[;,]/.test(before) || /^["']?\s*[;,]/.test(after) || text.slice(start, end).includes(",");
    const rest = text.slice(start + value.length, end);
    if (separated && (SIBLING.test(before) || SIBLING.test(rest + after)))
      yield { start, end: start + value.length };
  }
}

const USER_INFO =
  /:\/\/(?<=[a-z0-9+.-]:\/\/)(?<user>[^\s/:@"'<>]{0,200}):(?<secret>[^\s/@"'<>`]{3,256})@(?<host>[^\s"'<>:/?#]+)/dgi;
/** Hosts that there are not, kept for examples (RFC 2606). */
const EXAMPLE_HOST = /(?:^|\.)(?:example\.(?:com|net|org)|example|invalid)$/i;

function* urlPasswords(text: string): Generator<Span> {
  if (!text.includes("://")) return;
  for (const match of text.matchAll(USER_INFO)) {
    const { user, secret = "", host = "" } = match.groups ?? {};
    if (EXAMPLE_HOST.test(host)) continue;
    const [start, end] = match.indices?.groups?.secret ?? [0, 0];
    // `postgres:postgres@` is everybody's first database.
    if (!isPlaceholder(secret) && user !== secret && secret !== "x-oauth-basic") yield { start, end };
  }
}

const SIGNATURE = /[?&;]sig=(?<secret>[A-Za-z0-9%+/_-]{40,129}(?:=|%3D)?)/dgi;
const SIGNED = /(?:^|[?&;\s])(?:sv|se|sr|skn|sp|st|spr|ss|srt)=/i;

function* sharedAccessSignatures(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(text, SIGNATURE, /sig=/i)) {
    const { before, after } = lineAround(text, span, 600);
    const here = `${before.slice(before.search(/\S*$/))}&${after.split(/\s/, 1)[0]}`;
    if (looksRandom(value) && SIGNED.test(here.replaceAll("&amp;", "&").replaceAll(String.raw`\u0026`, "&")))
      yield span;
  }
}

const CLIENT_SECRET =
  /(?:client[_-]?secret|ARM_CLIENT_SECRET)\\?["']?\s*[:=]\s*\\?["']?(?<secret>[A-Za-z0-9_~.+/=-]{20,128})/dgi;

function* clientSecrets(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(text, CLIENT_SECRET, /client[_-]?secret/i)) {
    if (looksRandom(value) && !FETCHED.test(value)) yield span;
  }
}

const AWS_SECRET =
  /aws_?secret_?access_?key\\?["']?\s*(?::|=>|=)\s*\\?["']?(?<secret>[A-Za-z0-9/+=]{40})(?![A-Za-z0-9/+=])/dgi;
/** secretlint's rule tells where the name begins, not the secret: a baseline of that would let the next one pass. */
function* awsSecrets(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(text, AWS_SECRET, /secret_?access_?key/i)) {
    if (looksRandom(value)) yield span;
  }
}

const REGISTRY = /:(?:_authToken|_auth|_password)\s*=\s*"?(?<secret>[^\s"$]{8,400})/dg;

function* registryCredentials(text: string): Generator<Span> {
  for (const { start, end } of secretsOf(text, REGISTRY, /:_(?:auth|password)/)) yield { start, end };
}

const BEARER = new RegExp(
  String.raw`${NOT_AFTER("\\w")}Bearer\s+(?<secret>[A-Za-z0-9._~+/-]{20,4000}={0,2})`,
  "dgi",
);
const BASIC = new RegExp(
  String.raw`${NOT_AFTER("\\w")}Authorization\\?["']?\s*[:=]\s*\\?["']?Basic\s+(?<secret>[A-Za-z0-9+/]{8,400}={0,2})`,
  "dgi",
);

function* bearerTokens(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(text, BEARER, /bearer/i)) if (looksRandom(value)) yield span;
}

function* basicCredentials(text: string): Generator<Span> {
  for (const { value, ...span } of secretsOf(text, BASIC, /basic/i)) {
    const [user = "", ...rest] = Buffer.from(value, "base64").toString("utf8").split(":");
    if (rest.length > 0 && /^[\x20-\x7e]*$/.test(user) && !isPlaceholder(rest.join(":"))) yield span;
  }
}

const PEM_BEGIN = /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const PEM_END = /-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/;
/** A key of 4096 bits with its line breaks escaped has some 3500 characters. */
const PEM_LENGTH = 16_000;

function* privateKeys(text: string): Generator<Span> {
  if (!text.includes("PRIVATE KEY")) return;
  for (const match of text.matchAll(PEM_BEGIN)) {
    const from = match.index + match[0].length;
    if (!/[A-Za-z0-9+/]{40}/.test(text.slice(from, from + 800).split("-----", 1)[0] ?? "")) continue;
    const inside = text.slice(from, from + PEM_LENGTH);
    const end = PEM_END.exec(inside);
    yield {
      start: match.index,
      end: from + (end === null ? Math.min(600, inside.length) : end.index + end[0].length),
    };
  }
}

/** Kiln's own rules. Where two find the same stretch, the first holds: the more particular come first. */
export const RULES: readonly Rule[] = [
  { id: "private-key", title: "a private key", find: privateKeys },
  ...KEY_SHAPES.map(
    (shape): Rule => ({ id: shape.rule, title: shape.title, find: (text) => matchesOf(shape, text) }),
  ),
  { id: "azure-named-key", title: "an account key of Azure, by its name", find: accountKeys },
  { id: "azure-legacy-key", title: "a 32-digit key beside a word for one", find: legacyKeys },
  { id: "azure-sas", title: "a shared access signature", find: sharedAccessSignatures },
  { id: "client-secret", title: "a client secret, by its name", find: clientSecrets },
  { id: "aws-secret-key", title: "an AWS secret access key", find: awsSecrets },
  { id: "registry-credentials", title: "a package registry's credentials", find: registryCredentials },
  { id: "basic-credentials", title: "a user's password in a header", chosen: true, find: basicCredentials },
  { id: "bearer-token", title: "a bearer token", find: bearerTokens },
  {
    id: "connection-password",
    title: "a password in a connection string",
    chosen: true,
    find: connectionPasswords,
  },
  { id: "url-password", title: "a password in a URL", chosen: true, find: urlPasswords },
];
