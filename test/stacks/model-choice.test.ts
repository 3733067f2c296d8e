import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../stacks/config.ts";
import { parseModelChoice, withModel } from "../../stacks/model-choice.ts";

const project = path.resolve(import.meta.dirname, "../..");

describe("the model chosen for a run", () => {
  it("takes the place of the configured one, and leaves its SKU and capacity", () => {
    const { model } = loadConfig(project, "staging", {}).foundry;
    const chosen = loadConfig(project, "staging", { KILN_MODEL: "gpt-4.1@2025-04-14" }).foundry.model;
    expect(chosen).toEqual({ ...model, name: "gpt-4.1", version: "2025-04-14" });
    expect(loadConfig(project, "staging", { KILN_MODEL: "" }).foundry.model).toEqual(model);
  });

  it.each(["gpt-5.1", "@2025", "gpt 5@1", "gpt-5.1@", "a@b@c"])("is refused as %s", (KILN_MODEL) => {
    expect(() => loadConfig(project, "dev", { KILN_MODEL })).toThrow(
      `KILN_MODEL is ${JSON.stringify(KILN_MODEL)}; allowed: a model and its version`,
    );
  });

  it("leaves what is no map to the schema", () => {
    const choice = parseModelChoice("m@1");
    expect(withModel({ foundry: "x" }, choice)).toEqual({ foundry: "x" });
    expect(withModel({ foundry: { model: 1 } }, choice)).toEqual({ foundry: { model: 1 } });
    expect(withModel({}, choice)).toEqual({ foundry: { model: { name: "m", version: "1" } } });
  });
});
