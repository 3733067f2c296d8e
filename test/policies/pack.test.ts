import { unknownCheckingProxy } from "@pulumi/policy";
import { asset } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { rules } from "../../policies/index.ts";
import { judge, judgeStack } from "../../policies/judge.ts";
import { azureType, type Rule, stackOf, UNKNOWN } from "../../policies/model.ts";
import { plainProps, policiesOf } from "../../policies/pack.ts";
import { OPENAI_KEY } from "./cases.ts";
import { context, resource, TODAY } from "./support.ts";

/** What the engine sends for a text that is not known yet; the SDK's proxy throws when it is read. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const URN = "urn:pulumi:dev::kiln::x:y:Z::it";

const broken: Rule = {
  name: "broken",
  description: "always fails",
  severity: "high",
  check: () => {
    throw new TypeError(`cannot read ${OPENAI_KEY}`);
  },
  checkStack: () => {
    throw OPENAI_KEY;
  },
};

interface Served {
  name: string;
  enforcementLevel: string;
  validateResource?: (args: object, report: (message: string) => void) => Promise<void>;
  validateStack?: (args: object, report: (message: string, urn?: string) => void) => Promise<void>;
}
const served = (list: readonly Rule[], day = TODAY) => policiesOf(list, [], () => day) as unknown as Served[];

async function reported(policy: Served | undefined, args: object): Promise<string[]> {
  const messages: string[] = [];
  await policy?.validateResource?.(args, (message) => messages.push(message));
  return messages;
}

describe("a rule that fails", () => {
  it("is a violation that names rule and resource, and nothing of the error's text", () => {
    const [found] = judge(broken, resource("x:y:Z", {}), context());
    expect(found?.message).toContain("it (x:y:Z) could not be judged: rule broken failed with TypeError");
    expect(found?.message).not.toContain(OPENAI_KEY);
    const [stack] = judgeStack(broken, [], context());
    expect(stack?.message).toContain("the stack could not be judged: rule broken failed with string");
    expect(stack?.message).not.toContain(OPENAI_KEY);
  });

  it("is reported to the engine, also when the resource itself cannot be read", async () => {
    const unreadable = new Proxy(
      { a: 1 },
      {
        get: () => {
          throw new RangeError("no");
        },
      },
    );
    const [policy] = served([broken]);
    expect(await reported(policy, { type: "x:y:Z", urn: URN, name: "it", props: {} })).toHaveLength(1);
    expect(await reported(policy, { type: "x:y:Z", urn: URN, name: "it", props: unreadable })).toEqual([
      expect.stringContaining("failed with RangeError"),
    ]);
    const [passing] = served([{ ...broken, check: () => [] }]);
    expect(await reported(passing, { type: "x:y:Z", urn: "no urn", name: "it", props: {} })).toHaveLength(1);
    const messages: string[] = [];
    await passing?.validateStack?.({ resources: [{ urn: URN }] }, (message) => messages.push(message));
    expect(messages).toEqual([expect.stringContaining("rule broken failed with TypeError")]);
  });
});

describe("the policies as served", () => {
  it("are all mandatory, one for each rule", () => {
    const policies = served(rules);
    expect(policies.map(({ name }) => name)).toEqual(rules.map(({ name }) => name));
    expect(new Set(policies.map(({ enforcementLevel }) => enforcementLevel))).toEqual(new Set(["mandatory"]));
  });

  it("judge what is known beside what is not", async () => {
    const policy = served(rules).find(({ name }) => name === "no-raw-secrets");
    const props = unknownCheckingProxy({ a: UNKNOWN_TEXT, list: [UNKNOWN_TEXT, { password: "x" }] });
    expect(await reported(policy, { type: "x:y:Z", urn: URN, name: "it", props })).toEqual([
      expect.stringContaining("it (x:y:Z), list[1].password: "),
    ]);
  });

  it("take the stack from the URN and the day from the clock they are given", async () => {
    let seen: unknown;
    const [policy] = served(
      [
        {
          ...broken,
          check: (_, { stack, today }) => {
            seen = { stack, today };
            return [];
          },
        },
      ],
      "2030-05-05",
    );
    await reported(policy, { type: "x:y:Z", urn: URN, name: "it", props: {} });
    expect(seen).toEqual({ stack: "dev", today: "2030-05-05" });
  });

  it("judge a whole stack, dependencies included", async () => {
    const policy = served(rules).find(({ name }) => name === "serial-deployments");
    const deployment = (name: string) => ({
      urn: URN.replace("it", name),
      name,
      type: "azure-native:cognitiveservices:Deployment",
      props: unknownCheckingProxy({ accountName: "a" }),
      dependencies: [{ urn: URN }],
      propertyDependencies: { accountName: [{ urn: URN }] },
    });
    const found: (string | undefined)[] = [];
    await policy?.validateStack?.({ resources: [deployment("x"), deployment("y")] }, (_, urn) =>
      found.push(urn),
    );
    expect(found).toEqual([URN.replace("it", "y")]);
    await policy?.validateStack?.({ resources: [] }, (_, urn) => found.push(urn));
    expect(found).toHaveLength(1);
  });
});

describe("properties", () => {
  it("become plain, unknown values and assets included", async () => {
    const archive = new asset.AssetArchive({
      "a.txt": new asset.StringAsset("text"),
      more: new asset.FileArchive("dir"),
    });
    const props = unknownCheckingProxy({
      known: [1, null, undefined],
      unknown: UNKNOWN_TEXT,
      archive,
      remote: new asset.RemoteAsset("https://h/x"),
    });
    expect(await plainProps(props)).toEqual({
      known: [1, null, null],
      unknown: UNKNOWN,
      archive: { assets: { "a.txt": { text: "text" }, more: { path: "dir" } } },
      remote: { uri: "https://h/x" },
    });
  });

  it("keep a secret in a text asset visible", async () => {
    const props = await plainProps(unknownCheckingProxy({ source: new asset.StringAsset(OPENAI_KEY) }));
    expect(rules.flatMap((rule) => judge(rule, resource("x:y:Z", props), context()))).toHaveLength(1);
  });
});

describe("types and stacks", () => {
  it("reads an Azure type whatever version its token pins", () => {
    for (const type of [
      "azure-native:web:WebApp",
      "azure-native:web/v20240401:WebApp",
      "azure-native_web_v20240401:web:WebApp",
    ])
      expect(azureType(type)).toBe("web:WebApp");
    expect(azureType("azure:keyvault/secret:Secret")).toBe("azure:keyvault/secret:Secret");
    for (const type of ["command:local:Command", "pulumi:providers:azure-native", "azuread:index:App"])
      expect(azureType(type)).toBeUndefined();
  });

  it("reads the stack from a URN", () => {
    expect(stackOf(URN)).toBe("dev");
    expect(() => stackOf("nonsense")).toThrow("URN");
  });
});
