import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../policies/judge.ts";
import type { Props, Value } from "../../policies/model.ts";
import { fieldKind, words } from "../../policies/secrets/names.ts";
import { findSecrets } from "../../policies/secrets/scan.ts";
import { assignmentIn, looksSecret, shapeOf } from "../../policies/secrets/shapes.ts";
import { decodeBase64, isReference, looksRandom } from "../../policies/secrets/text.ts";
import { OPENAI_KEY, SUBSCRIPTION } from "./cases.ts";
import { context, resource, ruleNamed } from "./support.ts";

const HEX = "0123456789abcdef0123456789abcdef";
const RANDOM = "x9Kd83jdkQ02mzPq7Lw4";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const paths = (props: object) => findSecrets(props as Props).map(({ path }) => path);

describe("field names", () => {
  it.each([
    ..."password adminPassword DB_PASS apiKey API_KEY AZURE_OPENAI_API_KEY apikey key1 key2 primaryKey clientSecret".split(
      " ",
    ),
    ..."client-secret accessToken TOKEN sasToken accountKey privateKey secretValue AZURE-OPENAI-API-KEY--dev openAIKey".split(
      " ",
    ),
    ..."administratorLoginPassword client-key-data credential pwd keyVaultSecret".split(" "),
  ])("%s holds a credential", (name) => expect(fieldKind(name)).toBe("secret"));

  it.each([
    ..."keyVaultReferenceIdentity keyName tokenUrl maxOutputToken maxContextToken maxTokens secretUri secretName keyVaultSecretUri AZURE_FEDERATED_TOKEN_FILE".split(
      " ",
    ),
    ..."partitionKey sshPublicKey instrumentationKey APPINSIGHTS_INSTRUMENTATIONKEY key keys maxTokens topologyKey".split(
      " ",
    ),
    ..."disableLocalAuth keyVaultName tokenLifetime passwordPolicy enablePurgeProtection allowSharedKeyAccess".split(
      " ",
    ),
    ..."keySource keyExpirationPeriodInDays secretVersion AzureWebJobsSecretStorageType monkey value".split(
      " ",
    ),
    "",
  ])("%s holds none", (name) => expect(fieldKind(name)).toBe("plain"));

  it.each(["connectionString", "SQL_CONNECTION_STRING", "dsn"])("%s may carry one", (name) =>
    expect(fieldKind(name)).toBe("connection"),
  );

  it("reads every case style as the same words", () => {
    for (const name of ["apiKeyName", "API_KEY_NAME", "api-key-name", "ApiKeyName"])
      expect(words(name)).toEqual(["api", "key", "name"]);
  });
});

describe("what is found", () => {
  it.each<[string, object, string]>([
    ["a key in any field", { greeting: OPENAI_KEY }, "greeting"],
    ["a key inside a longer text", { a: [`x${OPENAI_KEY}y`] }, "a[0]"],
    ["an AI services key", { a: OPENAI_KEY.replace("AAABACOG", "AAAAACOG") }, "a"],
    ["a Cognitive key", { a: OPENAI_KEY.replace("AAABACOG", "AAAEACOG") }, "a"],
    ["a key of a newer issuer", { a: OPENAI_KEY.replace("AAABACOG", "AAAZXYZW") }, "a"],
    ["a storage key", { a: `${"a1B2".repeat(21)}ab==` }, "a"],
    ["a legacy key near a keyword", { a: `api key: ${HEX}` }, "a"],
    ["a legacy key beside its endpoint", { url: "https://x.openai.azure.com", v: HEX }, "v"],
    ["a legacy key in a list of keys", { keys: [{ keyName: "key1", value: HEX }] }, "keys[0].value"],
    [
      "a raw setting",
      { siteConfig: { appSettings: [{ name: "API_KEY", value: "x" }] } },
      "siteConfig.appSettings[name=API_KEY].value",
    ],
    [
      "a setting in a dictionary",
      { properties: { MY_PASSWORD: { value: "hunter2" } } },
      "properties.MY_PASSWORD.value",
    ],
    ["a value in a list of secrets", { secrets: [{ name: "db", value: "p4ss" }] }, "secrets[name=db].value"],
    ["a password in digits", { password: 12345 }, "password"],
    ["an account key in a connection string", { a: "AccountName=x;AccountKey=abcdef==" }, "a"],
    ["a shared access key", { a: "Endpoint=sb://x/;SharedAccessKey=abc123" }, "a"],
    ["a password in a connection string", { a: "Server=x;Password=p w;" }, "a"],
    ["an unreadable connection string", { connectionString: "abc" }, "connectionString"],
    ["a token", { a: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${RANDOM}` }, "a"],
    ["a private key", { a: "-----BEGIN RSA PRIVATE KEY-----\nMII" }, "a"],
    ["a GitHub token", { a: `ghp_${"a1B2".repeat(9)}` }, "a"],
    ["a fine-grained GitHub token", { a: `github_pat_${"a1B2".repeat(9)}` }, "a"],
    ["a SAS", { a: "https://x.blob.core.windows.net/c?sv=1&sig=abcdefghij0123456789%3D" }, "a"],
    ["a URL with a password", { a: "postgres://u:hunter2@h/db" }, "a"],
    ["random text in a field near a hint", { auth: { blob: RANDOM } }, "auth.blob"],
    ["random text beside a user name", { username: "bob", blob: RANDOM }, "blob"],
    ["a secret as a key", { tags: { [OPENAI_KEY]: "x" } }, "tags(a key of it)"],
    ["a secret under a secret key", { [OPENAI_KEY]: { password: "x" } }, "(a key of it)"],
    ["JSON in a property", { a: JSON.stringify({ b: [{ password: "x" }] }) }, "a(json).b[0].password"],
    ["base64 in a property", { a: base64(`say ${OPENAI_KEY}`) }, "a(base64)"],
    ["base64 in lines", { a: base64(`say ${OPENAI_KEY}`).replace(/(.{20})/g, "$1\n") }, "a(base64)"],
    ["base64 inside a text", { a: `data:text/plain;base64,${base64("password=hunter2")}` }, "a(base64)"],
    ["JSON in base64", { a: base64(JSON.stringify({ clientSecret: "x" })) }, "a(base64)(json).clientSecret"],
    ["the first of two equal keys in JSON", { a: '{"password":"hunter2","password":"$P"}' }, "a"],
    ["a variable in a script", { create: "set -e\nexport API_TOKEN=abc123\nrun" }, "create"],
    ["a flag in a script", { create: "az login --password hunter2" }, "create"],
    ["a flag in a quoted script", { create: 'sh -c "login --password hunter2"' }, "create"],
    ["a header in a script", { update: 'curl -H "api-key: abcdef123456" https://x' }, "update"],
    ["a bearer header", { delete: "curl -H 'Authorization: Bearer abcdef1234567890'" }, "delete"],
    ["a secret set by az", { create: "az keyvault secret set --name n --value hunter2" }, "create"],
    ["YAML on standard input", { stdin: "user: x\npassword: hunter2hunter2\n" }, "stdin"],
    ["an assignment inside another", { a: "env: password=hunter2" }, "a"],
    ["random text after a word for it", { stdout: `the key is ${RANDOM}` }, "stdout"],
  ])("%s", (_, props, path) => expect(paths(props)).toContain(path));
});

describe("what is let pass", () => {
  const vault = "https://kv-kiln-dev-1a2b.vault.azure.net/secrets/AZURE-OPENAI-API-KEY--dev";
  it.each<[string, object]>([
    [
      "Key Vault references",
      {
        API_KEY: `@Microsoft.KeyVault(SecretUri=${vault})`,
        TOKEN: "@Microsoft.KeyVault(VaultName=kv;SecretName=n)",
      },
    ],
    ["URLs of secrets, versions too", { secret: vault, password: `${vault}/${HEX}` }],
    [
      "placeholders",
      {
        password: "$PASSWORD",
        token: `\${TOKEN}`,
        apiKey: `\${{ secrets.KEY }}`,
        pwd: "<password>",
        secret: "****",
      },
    ],
    [
      "names of credentials",
      {
        environment: { SECRET: "AZURE-OPENAI-API-KEY--dev" },
        create: "x --secret AZURE-OPENAI-API-KEY--dev",
      },
    ],
    [
      "ARM ids and GUIDs",
      {
        credential: `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/A.B/c/d`,
        auth: { clientId: SUBSCRIPTION },
      },
    ],
    [
      "ids as keys",
      {
        userAssignedIdentities: {
          [`/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-kiln-dev/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-kiln-dev`]:
            {},
        },
      },
    ],
    [
      "an address of Application Insights",
      { connectionString: `InstrumentationKey=${SUBSCRIPTION};IngestionEndpoint=https://x/` },
    ],
    [
      "a connection string without a password",
      { SQL_CONNECTION_STRING: "Server=x;Authentication=Active Directory Default" },
    ],
    ["mechanisms", { AzureWebJobsStorage__credential: "managedidentity", token: "none", password: "" }],
    ["times of keys", { keyCreationTime: { key1: "2026-11-20T10:00:00.1234567Z" } }],
    [
      "digests and triggers",
      { triggers: [`${HEX}${HEX}`], auth: { digest: `${HEX}${HEX}`, image: `x@sha256:${HEX}${HEX}` } },
    ],
    [
      "public keys",
      {
        sshKey: `ssh-rsa ${"AAAAB3NzaC1yc2E1x9Kd83jd".repeat(3)} u@h`,
        key1: "-----BEGIN CERTIFICATE-----\nMIIx9Kd8\n-----END CERTIFICATE-----",
      },
    ],
    [
      "ids that look like legacy keys",
      { endpoint: "https://x.openai.azure.com/", internalId: HEX, etag: HEX },
    ],
    [
      "what the key-sync step prints",
      { stdout: JSON.stringify({ slot: "key1", secretUri: vault, version: HEX }) },
    ],
    ["the same in words", { stdout: `slot key1, secret ${vault}, version ${HEX}` }],
    [
      "scripts that fetch",
      {
        create: `TOKEN=$(az account get-access-token -o tsv)\ncurl -H "Authorization: Bearer $TOKEN" -H "api-key: \${KEY}"\nconst apiKey = keys.key1;`,
      },
    ],
    ["a shell's folder", { create: "PWD=/srv/app node x" }],
    [
      "references of pods",
      { env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "token" } } }] },
    ],
    ["endpoints of token services", { endpoints: { Token: "https://x.cognitiveservices.azure.com/" } }],
    ["prose", { description: "Reads secrets; password: see the vault. Keys are renewed by rotation." }],
    [
      "settings of tokens",
      { maxTokens: "4096", tokenLifetime: "1h", usePassword: true, passwordAttempts: 3 },
    ],
    ["nothing", { a: null, b: [], c: {} }],
  ])("%s", (_, props) => expect(findSecrets(props as Props)).toEqual([]));
});

describe("properties", () => {
  const alnum = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];
  const text = (length: number) =>
    fc.string({ unit: fc.constantFrom(...alnum), minLength: length, maxLength: length });
  const key = fc
    .tuple(
      text(52),
      text(1),
      fc.constantFrom(..."ABCDEFGHIJKL"),
      text(12),
      fc.constantFrom("AAABACOG", "AAAAACOG", "AAAEACOG"),
      text(4),
    )
    .map(([a, b, c, d, mark, e]) => `${a}JQQJ99${b}${c}${d}${mark}${e}`);
  const hexKey = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 });

  type Wrap = (inner: Value) => Value;
  const name = fc.constantFrom(
    "a",
    "properties",
    "value",
    "settings",
    "b c",
    "x.y",
    "triggers",
    "env",
    "__proto__",
  );
  const wrap: fc.Arbitrary<Wrap> = fc.oneof(
    name.map(
      (at): Wrap =>
        (inner) => ({ before: 1, [at]: inner }),
    ),
    fc.nat(3).map(
      (count): Wrap =>
        (inner) => [...Array<Value>(count).fill("x"), inner],
    ),
    name.map(
      (at): Wrap =>
        (inner) => ({ name: at, value: inner }),
    ),
  );
  const encode: fc.Arbitrary<(text: string) => string> = fc.constantFrom(
    (plain: string) => plain,
    (plain: string) => `#!/bin/sh\necho '${plain}' | run\n`,
    (plain: string) => JSON.stringify({ deep: [{ x: plain }] }),
    (plain: string) => base64(`see ${plain}`),
    (plain: string) => base64(JSON.stringify([plain])),
  );
  const nested = (secret: string, wraps: readonly Wrap[]): Props => ({
    props: wraps.reduce<Value>((inner, each) => each(inner), secret),
  });

  it("a key is found at any depth and in any encoding, and no message repeats it", () => {
    fc.assert(
      fc.property(key, encode, fc.array(wrap, { maxLength: 30 }), (secret, encoding, wraps) => {
        const found = judge(
          ruleNamed("no-raw-secrets"),
          resource("x:y:Z", nested(encoding(secret), wraps)),
          context(),
        );
        expect(found).toHaveLength(1);
        expect(found[0]?.message).not.toContain(secret);
      }),
    );
  });

  it("whatever a field named like a credential holds is found, and no message repeats it", () => {
    const field = fc.constantFrom(
      "password",
      "apiKey",
      "client_secret",
      "connectionString",
      "AZURE_OPENAI_API_KEY",
      "key2",
    );
    fc.assert(
      fc.property(field, text(24), fc.array(wrap, { maxLength: 8 }), (at, secret, wraps) => {
        const props = { outer: wraps.reduce<Value>((inner, each) => each(inner), { [at]: secret }) };
        const found = judge(ruleNamed("no-raw-secrets"), resource("x:y:Z", props), context());
        expect(found.length).toBeGreaterThan(0);
        for (const { message } of found) expect(message).not.toContain(secret);
      }),
    );
  });

  it("a key used as a key or as a name is found and withheld", () => {
    fc.assert(
      fc.property(key, fc.constantFrom("inner", "password", "value"), (secret, field) => {
        const props = { tags: { [secret]: { [field]: secret } }, list: [{ name: secret, value: secret }] };
        const found = judge(ruleNamed("no-raw-secrets"), resource("x:y:Z", props, secret), context());
        expect(found.length).toBeGreaterThan(3);
        expect(JSON.stringify(found)).not.toContain(secret);
      }),
    );
  });

  it("no property of Azure's resource types reads as a secret", () => {
    const folder = fileURLToPath(new URL("../../node_modules/@pulumi/azure-native/", import.meta.url));
    const groups = [
      "applicationinsights",
      "authorization",
      "cognitiveservices",
      "keyvault",
      "managedidentity",
    ];
    const modules = [...groups, "operationalinsights", "resources", "storage", "web"].flatMap((group) =>
      readdirSync(`${folder}${group}`).flatMap((file) =>
        file.endsWith(".js") ? [readFileSync(`${folder}${group}/${file}`, "utf8")] : [],
      ),
    );
    const properties = new Set(
      modules.flatMap((module) =>
        [...module.matchAll(/resourceInputs\["(\w+)"\]/g)].map((found) => found[1]),
      ),
    );
    expect(properties.size).toBeGreaterThan(500);
    expect([...properties].filter((each) => looksSecret(each ?? ""))).toEqual([]);
  });

  it("a legacy key is found wherever a word for it stands before it", () => {
    fc.assert(
      fc.property(hexKey, fc.constantFrom("api-key ", "openai: ", "the password is "), (secret, before) => {
        expect(paths({ note: `${before}${secret}` })).toEqual(["note"]);
      }),
    );
  });

  it("a text is judged by where it stands, whatever was judged before", () => {
    const text = fc.constantFrom("hello-world", HEX, RANDOM, base64(`{"note":"${HEX}"}`), `{"id":"${HEX}"}`);
    const field = fc.constantFrom("password", "displayName", "note", "token", "digest", "apiKeyName");
    const alone = (name: string, value: string): string[] => paths({ [name]: value });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, text), { minLength: 1, maxLength: 12 }), (pairs) => {
        const first = pairs.map(([name, value]) => alone(name, value));
        const again = pairs.toReversed().map(([name, value]) => alone(name, value));
        expect(again.toReversed()).toEqual(first);
        for (const [index, [name, value]] of pairs.entries()) {
          const nested = paths({ outer: { [name]: value } });
          expect(nested).toEqual(first[index]?.map((path) => `outer.${path}`));
        }
      }),
    );
    expect(alone("password", "hello-world")).toEqual(["password"]);
    expect(alone("displayName", "hello-world")).toEqual([]);
  });

  it("any text is judged without failing", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.json(), fc.base64String())),
        (props) => {
          expect(() => findSecrets(props)).not.toThrow();
        },
      ),
    );
  });

  it("deep and circular properties end", () => {
    let deep: Value = { password: "x" };
    for (let i = 0; i < 5_000; i++) deep = i % 2 ? [deep] : { a: deep };
    expect(findSecrets({ deep })).toHaveLength(1);
    const circular: Record<string, Value> = { password: "x" };
    circular.self = circular;
    circular.list = [circular, { again: circular }];
    expect(paths(circular)).toEqual(["password"]);
  });

  it("long texts that invite a pattern to try every split are judged", () => {
    const hostile = [
      "a=".repeat(50_000),
      " ".repeat(100_000),
      "secret set ".repeat(10_000),
      "password ".repeat(20_000),
    ];
    for (const each of hostile)
      expect(() => [assignmentIn(each), shapeOf(each), looksSecret(each)]).not.toThrow();
  });
});

describe("texts", () => {
  it("tells random from made of words", () => {
    expect([RANDOM, "dQw4w9WgXcQa8Zk2", OPENAI_KEY].map(looksRandom)).toEqual([true, true, true]);
    const named = [
      "func-kiln-dev-a1b2c3",
      "AZURE_OPENAI_DEPLOYMENT_NAME_2",
      "applicationinsights2",
      "a".repeat(40),
      "1234567890123456",
    ];
    expect(named.map(looksRandom)).toEqual(named.map(() => false));
  });

  it("decodes only what was text", () => {
    expect(decodeBase64(base64("password=hunter2"))).toBe("password=hunter2");
    expect(decodeBase64(base64("password=hunter2?>").replace(/\+/g, "-").replace(/\//g, "_"))).toBe(
      "password=hunter2?>",
    );
    for (const each of [
      "short",
      "not base64 at all!",
      Buffer.from([0, 1, 2, 255, 254, 253, 8, 9, 1, 2, 3, 4, 5]).toString("base64"),
    ])
      expect(decodeBase64(each)).toBeUndefined();
  });

  it("takes no secret for a reference because something follows or stands inside", () => {
    for (const each of [
      `@Microsoft.KeyVault(${OPENAI_KEY}!)`,
      "$(x) hunter2",
      "https://u:p@h/",
      `https://h/${RANDOM}`,
      "https://h/?a=b",
    ])
      expect(isReference(each)).toBe(false);
  });
});
