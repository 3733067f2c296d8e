import fc from "fast-check";

/** A secret of some rule, with what has to stand around it. Nothing here is one until a test draws it. */
export interface Minted {
  readonly rule: string;
  readonly secret: string;
  /** The secret in its place. */
  readonly text: string;
}

const digits = "0123456789";
const lower = "abcdefghijklmnopqrstuvwxyz";
const alphanumeric = `${digits}${lower}${lower.toUpperCase()}`;
const base64 = `${alphanumeric}+/`;
const base64url = `${alphanumeric}-_`;

/** How evenly a text uses its characters, in bits for each. */
function evenness(text: string): number {
  const counts = [...new Set(text)].map((each) => text.split(each).length - 1);
  return -counts.reduce((bits, count) => bits + (count / text.length) * Math.log2(count / text.length), 0);
}

/** So many characters, as mixed as a machine draws them: fast-check likes the same one over and over. */
export const drawn = (alphabet: string, length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length })
    .map((characters) => characters.join(""))
    .filter(
      (text) =>
        length < 10 ||
        (evenness(text) > Math.log2(Math.min(length, alphabet.length)) * 0.75 &&
          /\d/.test(text) &&
          /[a-z]/i.test(text)),
    );

const joined = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((all) => all.join(""));

const annotated = (mark: string) =>
  joined(
    drawn(alphanumeric, 52),
    "JQQJ99",
    drawn(alphanumeric, 1),
    drawn("ABCDEFGHIJKL", 1),
    drawn(alphanumeric, 12),
    mark,
    drawn(alphanumeric, 4),
  );

const minted = (
  rule: string,
  secret: fc.Arbitrary<string>,
  place: (secret: string) => string = (itself) => itself,
): [string, fc.Arbitrary<Minted>] => [
  rule,
  secret.map((itself) => ({ rule, secret: itself, text: place(itself) })),
];

const wide = (mark: string) => joined(drawn(base64, 76), mark, drawn(base64, 5), drawn("AQgw", 1), "==");
const messaging = (mark: string) =>
  joined(drawn(base64, 33), mark, drawn("ABCDEFGHIJKLMNOP", 1), drawn(base64, 5), "=");
/** Nothing that could be taken for another secret, or for no secret. */
const password = joined(drawn(alphanumeric, 12), "!", drawn(alphanumeric, 3));
const pem = (kind: string) => (body: string) =>
  `-----BEGIN ${kind}PRIVATE KEY-----\n${body.replace(/.{64}/g, "$&\n")}\n-----END ${kind}PRIVATE KEY-----`;

/** Keys that are known wherever they stand, whatever touches them. */
export const unmistakable = new Map([
  minted("azure-openai-key", annotated("AAABACOG")),
  minted("azure-ai-services-key", annotated("AAAAACOG")),
  minted("azure-cognitive-key", annotated("AAAEACOG")),
]);

/** Every rule of Kiln's own, with secrets for it. */
export const mints = new Map<string, fc.Arbitrary<Minted>>([
  ...unmistakable,
  minted("azure-key", annotated("AAAFAZAP")),
  minted("azure-devops-token", joined(drawn(alphanumeric, 76), "AZDO", drawn(alphanumeric, 4))),
  minted(
    "azure-account-key",
    fc.constantFrom("+ASt", "ACDb", "+ABa", "+AMC", "APIM").chain(wide),
    (key) =>
      `DefaultEndpointsProtocol=https;AccountName=st;AccountKey=${key};EndpointSuffix=core.windows.net`,
  ),
  minted(
    "azure-messaging-key",
    fc.constantFrom("+ASb", "+AEh", "+ARm", "AIoT").chain(messaging),
    (key) => `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=${key}`,
  ),
  minted(
    "azure-cache-key",
    messaging("AzCa"),
    (key) => `cache.redis.cache.windows.net:6380,password=${key},ssl=True`,
  ),
  minted(
    "azure-functions-key",
    joined(drawn(base64url, 44), "AzFu", drawn(base64url, 5), drawn("AQgw", 1), "=="),
  ),
  minted("azure-registry-key", joined(drawn(base64, 42), "+ACR", drawn("ABCD", 1), drawn(base64, 5))),
  minted(
    "azure-search-key",
    joined(drawn(alphanumeric, 42), "AzSe", drawn("ABCD", 1), drawn(alphanumeric, 5)),
  ),
  minted(
    "entra-client-secret",
    joined(drawn(alphanumeric, 3), fc.constantFrom("7Q~", "8Q~"), drawn(`${alphanumeric}_-~`, 34)),
  ),
  minted(
    "github-token",
    fc.oneof(
      joined(fc.constantFrom("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), drawn(alphanumeric, 36)),
      joined("github", "_pat_", drawn(alphanumeric, 22), "_", drawn(alphanumeric, 59)),
      joined(
        "ghs",
        "_123456_eyJ",
        drawn(base64url, 40),
        ".",
        drawn(base64url, 120),
        ".",
        drawn(base64url, 43),
      ),
    ),
  ),
  minted("npm-token", joined("npm", "_", drawn(alphanumeric, 36))),
  minted("pulumi-token", joined("pul", "-", drawn(`${digits}abcdef`, 40))),
  minted(
    "jwt",
    joined("eyJ", drawn(base64url, 30), ".eyJ", drawn(base64url, 120), ".", drawn(base64url, 43)),
    (token) => `Authorization: Bearer ${token}`,
  ),
  minted(
    "private-key",
    fc
      .tuple(fc.constantFrom("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "), drawn(base64, 200))
      .map(([kind, body]) => pem(kind)(body)),
  ),
  minted("azure-named-key", drawn(base64, 44), (key) => `AccountEndpoint=https://c;AccountKey="${key}"`),
  minted(
    "azure-named-key",
    drawn(base64, 86).map((key) => `${key}==`),
    (key) => `{"keys": [{"keyName": "key1", "value": "${key}"}]}`,
  ),
  minted("azure-legacy-key", drawn(`${digits}abcdef`, 32), (key) => `AZURE_OPENAI_API_KEY=${key}`),
  minted(
    "azure-sas",
    drawn(base64, 43).map((signature) => `${encodeURIComponent(signature)}%3D`),
    (signature) =>
      `https://st.blob.core.windows.net/c/b?sv=2024-11-04&se=2027-01-01&sr=b&sp=r&sig=${signature}`,
  ),
  minted("client-secret", drawn(alphanumeric, 32), (secret) => `AZURE_CLIENT_SECRET: "${secret}"`),
  minted(
    "basic-credentials",
    password.map((secret) => Buffer.from(`deployer:${secret}`).toString("base64").replace(/=+$/, "")),
    (header) => `Authorization: Basic ${header}`,
  ),
  minted("aws-secret-key", drawn(base64, 40), (key) => `AWS_SECRET_ACCESS_KEY=${key}`),
  minted("registry-credentials", drawn(alphanumeric, 32), (token) => `//npm.internal/:_authToken=${token}`),
  minted("bearer-token", drawn(alphanumeric, 40), (token) => `authorization: bearer ${token}`),
  minted(
    "connection-password",
    password,
    (secret) => `Server=tcp:s.database.windows.net,1433;User ID=app;Password=${secret};Encrypt=True`,
  ),
  minted("url-password", password, (secret) => `postgres://app:${secret}@db.internal:5432/orders`),
]);

/** One secret of each rule, the same in every run. */
export const samples: readonly Minted[] = [...mints].map(([, mint]) => {
  const [sample] = fc.sample(mint, { numRuns: 1, seed: 20_261_121 });
  if (sample === undefined) throw new Error("nothing was drawn");
  return sample;
});

/** The sample of a rule. */
export function sampleOf(rule: string): Minted {
  const found = samples.find((each) => each.rule === rule);
  if (found === undefined) throw new Error(`no sample of ${rule}`);
  return found;
}
