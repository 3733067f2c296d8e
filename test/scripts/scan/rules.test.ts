import { describe, expect, it } from "vitest";
import { withoutKeys } from "../../../scripts/lib/keys/key-material.ts";
import { KEY_SHAPES } from "../../../scripts/lib/keys/shapes.ts";
import { catalogue, lint } from "../../../scripts/lib/scan/linter.ts";
import { RULES } from "../../../scripts/lib/scan/rules.ts";
import { mints, sampleOf, samples } from "./minted.ts";

const found = async (text: string) =>
  (await lint(text)).map(({ rule, start, end }) => ({ rule, secret: text.slice(start, end) }));

const OPENAI = sampleOf("azure-openai-key").secret;
const GITHUB = `ghp_${"a1B2".repeat(9)}`;
const HEX = ["9f8e7d6c5b4a3928", "1706f5e4d3c2b1a0"].join("");
const LONG = `${"aB3+".repeat(21)}aB==`;

describe("each rule", () => {
  it("has secrets to be tried with", () => {
    expect([...new Set(mints.keys())].sort()).toEqual(RULES.map(({ id }) => id).sort());
  });

  it.each(samples.map((each) => [each.rule, each] as const))(
    "%s finds its secret, and it alone",
    async (rule, each) => {
      expect(await found(each.text)).toEqual([{ rule, secret: each.secret }]);
    },
  );

  it.each(samples.map((each) => [each.rule, each] as const))(
    "%s finds it in every place",
    async (rule, each) => {
      const places = [
        `const x = { y: "${each.text.replaceAll('"', "'")}" };`,
        `first\r\n  - ${each.text}\r\nlast`,
        `\u001b[36;1m${each.text}\u001b[0m`,
        `2026-11-21T10:00:00.1234567Z ${each.text}`,
        `${"x".repeat(300_000)} ${each.text} ${"y".repeat(300_000)}`,
      ];
      for (const text of places) expect((await found(text)).map((hit) => hit.rule)).toContain(rule);
    },
  );

  it("has a name of its own and says what it finds", () => {
    const ids = catalogue().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title } of catalogue()) expect(title).toMatch(/^an? /);
  });

  it.each(
    samples
      .filter(({ rule }) => KEY_SHAPES.some((shape) => shape.rule === rule))
      .map((each) => [each.rule, each] as const),
  )("%s is taken out of the texts of others as well", (_, { text, secret }) => {
    expect(withoutKeys(`before ${text} after`)).not.toContain(secret);
  });
});

describe("what stands beside digits makes them a key", () => {
  it.each([
    ["a name before", `"api_key": "${HEX}"`],
    ["a name after", `${HEX} # the key of openai`],
    ["an endpoint on the line before", `endpoint: https://x.openai.azure.com/\nvalue: ${HEX}`],
    ["an endpoint of the other kinds", `{"url":"https://x.cognitiveservices.azure.com/","v":"${HEX}"}`],
    ["a header", `-H "Ocp-Apim-Subscription-Key: ${HEX}"`],
    ["an escaped line break before it", `"password:\\n${HEX}"`],
  ])("%s", async (_, text) => {
    expect(await found(text)).toEqual([{ rule: "azure-legacy-key", secret: HEX }]);
  });

  it.each([
    ["nothing", `const color = "${HEX}";`],
    ["a version of a secret", `https://v.vault.azure.net/secrets/api-key/${HEX}`],
    ["a version of a secret, from its folder on", `(ex: secrets/client-secret/${HEX})`],
    ["a hash", `apiKeyHash: "${HEX}"`],
    ["a trace", `token exchange, trace-id=${HEX}`],
    ["longer digits", `api key ${HEX}${HEX}`],
    ["upper case", `api key ${HEX.toUpperCase()}`],
    ["dashes around, as in a trace's parent", `token 00-${HEX}-0011223344556677-01`],
    ["one digit over and over", `api-key: ${"0".repeat(32)}`],
    [
      "Pulumi's mark of a secret",
      `"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" // secret`,
    ],
  ])("but not: %s", async (_, text) => {
    expect(await found(text)).toEqual([]);
  });
});

describe("near misses are let be", () => {
  it.each([
    ["a key one character short", OPENAI.slice(1)],
    ["a key with another mark", OPENAI.replace("JQQJ99", "JQQJ88")],
    ["a key with a wrong month", OPENAI.replace(/(JQQJ99.)./, "$1Z")],
    ["a key of no known issuer's form", OPENAI.replace("AAABACOG", "AAAB9COG")],
    ["a key cut in two", `${OPENAI.slice(0, 40)}\n${OPENAI.slice(40)}`],
    ["a token one character short", GITHUB.slice(0, -1)],
    ["a token too long", `${GITHUB}X`],
    ["a token's beginning", "ghp_ and npm_ are prefixes"],
    ["a hash of a package", `"integrity": "sha512-${LONG}"`],
    ["64 bytes that nothing calls a key", `const signature = "${LONG}";`],
    [
      "the storage emulator",
      `AccountKey=${["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq", "K1SZFPTOtr", "KBHBeksoGMGw=="].join("/")}`,
    ],
    ["a masked password", "Server=s;User ID=a;Password=***;Encrypt=True"],
    ["a masked URL", "https://user:***@github.com/o/r.git"],
    ["a masked header", "AUTHORIZATION: basic ***"],
    ["a masked token", "Authorization: Bearer ***"],
    ["a masked signature", "https://st.blob.core.windows.net/c/b?sv=2024-11-04&sig=***"],
    ["a masked registry", "//registry.npmjs.org/:_authToken=***"],
    ["a variable for a password", `Server=s;Password=\${password};User ID=a`],
    ["an expression", "postgres://app:$" + "{{ secrets.DB }}@host/db"],
    ["a shell's variable", "postgres://app:$DB_PASSWORD@host/db"],
    ["a format", "Server=%s;User ID=%s;Password=%s;"],
    ["a URL of an example", "https://app:correct-horse@db.example.com:5432/orders"],
    ["a variable of code, among others", "const username = env.USER;\\n const password = env.PASSWORD;\\n"],
    ["an example", "Server=s;User ID=a;Password=<your password>;"],
    ["everybody's first database", "postgres://postgres:postgres@localhost:5432/db"],
    ["a password that connects nothing", "password = readline();"],
    ["a URL with a port", "https://host:8443/a@b"],
    [
      "a reference to a vault",
      "AccountKey=@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)",
    ],
    ["a secret in code", "client_secret: configuration.credentials.clientSecret2"],
    ["a header in code", "headers.set('Authorization', `Bearer $" + "{token}`)"],
    ["words after Bearer", "uses Bearer authentication-with-managed-identity"],
    ["an empty private key", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----"],
    ["a public key", `-----BEGIN PUBLIC KEY-----\n${"MIIB".repeat(30)}\n-----END PUBLIC KEY-----`],
    ["a certificate", `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(30)}\n-----END CERTIFICATE-----`],
    ["a signature of something else", `?sig=${"aB3x".repeat(11)}`],
    [
      "a token's middle",
      `x${["eyJhbGciOiJub25lIn0", "eyJzdWIiOiIxMjM0NTYifQ", "c2lnbmF0dXJlLXRoYXQtaXM"].join(".")}`,
    ],
    ["a switch that turns rules off", "// secretlint-disable"],
  ])("%s", async (_, text) => {
    expect(await found(text)).toEqual([]);
  });
});

describe("secretlint's rules", () => {
  it.each([
    ["slack", `xoxb-${"123456789012-".repeat(2)}${"aB3d".repeat(6)}`],
    ["sendgrid", `SG.${"aB3d".repeat(5)}ab.${"xY9z".repeat(10)}abc`],
    ["openai", `sk-proj-${"aB3d".repeat(18)}aBT3BlbkFJ${"xY9z".repeat(18)}xY`],
  ])("%s is one of them", async (rule, text) => {
    expect((await found(`x ${text} y`)).map((hit) => hit.rule)).toEqual([rule]);
  });

  it("cannot be turned off by a comment", async () => {
    const text = `/* secretlint-disable */ ${GITHUB} // secretlint-disable-line`;
    expect(await found(text)).toEqual([{ rule: "github-token", secret: GITHUB }]);
  });
});

describe("what is found once is told once", () => {
  it("by the most particular rule", async () => {
    const text = `Authorization: Bearer ${GITHUB}`;
    expect(await found(text)).toEqual([{ rule: "github-token", secret: GITHUB }]);
  });

  it("but each of several is", async () => {
    const text = `a ${GITHUB} b ${OPENAI} c ${GITHUB}`;
    expect((await found(text)).map(({ rule }) => rule)).toEqual([
      "github-token",
      "azure-openai-key",
      "github-token",
    ]);
  });
});
