import { describe, expect, it } from "vitest";
import { rules } from "../../policies/index.ts";
import { judge } from "../../policies/judge.ts";
import { UNKNOWN, type Value } from "../../policies/model.ts";
import { type Case, cases } from "./cases.ts";
import { context, resource, ruleNamed } from "./support.ts";

const judged = (rule: string, name: string, { type, props, stack = "prod" }: Case) =>
  judge(ruleNamed(rule), resource(type, props, name, stack), context(stack));

describe.each(Object.entries(cases))("%s", (rule, { pass, fail }) => {
  it.each(Object.entries(pass))("lets %s pass", (name, each) => {
    expect(judged(rule, name, each)).toEqual([]);
  });

  it.each(Object.entries(fail))("stops %s", (name, each) => {
    const found = judged(rule, name, each);
    expect(found.map(({ property }) => property)).toContain(each.property);
    for (const { message, property } of found)
      expect(message).toContain(`${name} (${each.type}), ${property}: `);
  });

  it("lets what is not known yet pass", () => {
    for (const { type, property = "", props, stack = "prod" } of Object.values(fail)) {
      const top = property.split(/[.[]/)[0] ?? "";
      // Wrong whatever their values.
      if (type === "azure-native:keyvault:Secret" || property === "policy" || /:Release$/.test(type))
        continue;
      const unknown = { ...props, [top]: UNKNOWN };
      const found = judge(ruleNamed(rule), resource(type, unknown, "it", stack), context(stack));
      expect(found.map((each) => each.property)).not.toContain(property);
    }
  });

  it("survives properties of any kind", () => {
    const odd: Value[] = [null, true, 7, "text", [], [null], {}, { type: [] }, UNKNOWN];
    for (const { type, props } of Object.values({ ...pass, ...fail })) {
      for (const key of Object.keys(props)) {
        for (const value of odd) {
          const found = judge(ruleNamed(rule), resource(type, { ...props, [key]: value }), context());
          expect(found.map(({ message }) => message).join()).not.toContain("could not be judged");
        }
      }
    }
  });
});

describe("the pack", () => {
  it("has cases for every rule that judges resources by what they are", () => {
    const elsewhere = ["exemptions-in-order", ...rules.filter(({ check }) => !check).map(({ name }) => name)];
    expect(Object.keys(cases).sort()).toEqual(
      rules
        .map(({ name }) => name)
        .filter((name) => !elsewhere.includes(name))
        .sort(),
    );
  });

  it("names every rule once", () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  });

  it("lets a passing case of one rule pass all the others", () => {
    for (const { pass } of Object.values(cases)) {
      for (const [name, { type, props, stack = "prod" }] of Object.entries(pass)) {
        if (stack !== "prod") continue;
        for (const rule of rules) expect(judge(rule, resource(type, props, name), context())).toEqual([]);
      }
    }
  });
});
