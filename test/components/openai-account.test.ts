import { describe, expect, it } from "vitest";
import { OpenAiAccount, type OpenAiAccountArgs } from "../../components/azure/openai-account.ts";
import { only, recorded, TAGS } from "./recording.ts";

const model = (name: string, capacity = 10) => ({
  name,
  model: { name: "gpt-5.1", version: "2025-11-13" },
  sku: { name: "GlobalStandard", capacity },
});
const args: OpenAiAccountArgs = {
  accountName: "oai-kiln-dev-abc",
  resourceGroupName: "rg-kiln-dev",
  location: "eastus",
  tags: TAGS,
  deployments: [model("one"), model("two"), model("three")],
};

describe("OpenAiAccount", () => {
  it("registers an account with an identity and its own subdomain", async () => {
    const recording = await recorded(() => new OpenAiAccount("openai", args));
    expect(only(recording, "azure-native:cognitiveservices:Account").inputs).toMatchObject({
      accountName: "oai-kiln-dev-abc",
      kind: "OpenAI",
      sku: { name: "S0" },
      identity: { type: "SystemAssigned" },
      tags: TAGS,
      properties: { customSubDomainName: "oai-kiln-dev-abc", disableLocalAuth: false },
    });
  });

  it("makes deployments one after the other", async () => {
    const recording = await recorded(() => new OpenAiAccount("openai", args));
    const type = "azure-native:cognitiveservices:Deployment";
    const madeAfter = (name: string) =>
      only(recording, type, name)
        .dependsOn.filter((urn) => urn.includes(type))
        .map((urn) => urn.split("::").at(-1));
    expect(madeAfter("openai-one")).toEqual([]);
    expect(madeAfter("openai-two")).toEqual(["openai-one"]);
    expect(madeAfter("openai-three")).toEqual(["openai-two"]);
    expect(only(recording, type, "openai-two").inputs).toMatchObject({
      deploymentName: "two",
      accountName: "oai-kiln-dev-abc",
      sku: { name: "GlobalStandard", capacity: 10 },
      properties: {
        model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" },
        versionUpgradeOption: "OnceCurrentVersionExpired",
      },
    });
  });

  it("asks for no key", async () => {
    const recording = await recorded(() => new OpenAiAccount("openai", args));
    expect(recording.calls).toEqual([]);
  });

  it("lets a caller choose upgrade and network, not the model's format", async () => {
    const transform = {
      account: () => ({ publicNetworkAccess: "Disabled" }),
      deployment: () => ({ versionUpgradeOption: "NoAutoUpgrade", model: { format: "Other" } }),
    };
    const recording = await recorded(() => new OpenAiAccount("openai", { ...args, transform }));
    expect(only(recording, "azure-native:cognitiveservices:Account").inputs.properties).toMatchObject({
      publicNetworkAccess: "Disabled",
    });
    const { inputs } = only(recording, "azure-native:cognitiveservices:Deployment", "openai-one");
    expect(inputs.properties).toMatchObject({
      versionUpgradeOption: "NoAutoUpgrade",
      model: { format: "OpenAI" },
    });
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = {
      ...args,
      accountName: "a",
      customSubdomain: "Up",
      deployments: [model("x"), model("ok", 0), model("ok")],
    };
    const recording = await recorded(() => {
      expect(() => new OpenAiAccount("openai", wrong)).toThrow(
        /accountName .*customSubdomain .*deployments\[0\]\.name .*deployments\[1\]\.sku\.capacity .*deployments\[2\]\.name repeats/,
      );
    });
    expect(recording.resources).toEqual([]);
  });
});
