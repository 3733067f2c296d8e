import { describe, expect, it } from "vitest";
import { faultsOf, parseDay, standing } from "../../policies/exemption.ts";
import { exemptions } from "../../policies/exemptions.ts";
import { rules } from "../../policies/index.ts";
import { judge, judgeStack } from "../../policies/judge.ts";
import type { Exemption } from "../../policies/model.ts";
import { context, resource, ruleNamed, TODAY } from "./support.ts";

const names = rules.map(({ name }) => name);
const exemption = (more: Partial<Exemption> = {}): Exemption => ({
  rule: "https-only",
  type: "web:WebApp",
  name: "app",
  property: "httpsOnly",
  environments: ["dev"],
  reason: "the probe of the old balancer speaks plain HTTP",
  expires: "2027-03-31",
  ...more,
});
const app = (name = "app", stack = "dev") =>
  resource("azure-native:web:WebApp", { httpsOnly: false }, name, stack);
const judged = (more: Partial<Exemption>, name = "app", stack = "dev", today = TODAY) =>
  judge(ruleNamed("https-only"), app(name, stack), context(stack, { today, exemptions: [exemption(more)] }));

describe("an exemption", () => {
  it("lifts its rule at its property, up to and on its last day", () => {
    expect(judged({})).toEqual([]);
    expect(judged({}, "app", "dev", "2027-03-31")).toEqual([]);
  });

  it("no longer holds afterwards, and the violation says since when", () => {
    const [found] = judged({}, "app", "dev", "2027-04-01");
    expect(found?.message).toContain("expired on 2027-03-31");
  });

  it("covers nothing else", () => {
    for (const more of [
      { rule: "ftp-off" },
      { type: "web:WebAppSlot" },
      { name: "other" },
      { name: /ap/ },
      { property: "httpsOnly.x" },
      { environments: ["prod", "pr-*"] },
    ]) {
      const [found] = judged(more);
      expect(found?.message).toContain("must be true");
      expect(found?.message).not.toContain("expired");
    }
  });

  it("takes patterns for whole names and pr-* for pull requests only", () => {
    expect(judged({ name: /ap+/g })).toEqual([]);
    expect(judged({ environments: ["pr-*"] }, "app", "pr-12")).toEqual([]);
    expect(judged({ environments: ["pr-*"] }, "app", "pr-x")).toHaveLength(1);
  });

  it("prefers one that holds to one that expired", () => {
    const both = [exemption({ expires: "2026-01-01" }), exemption(), exemption({ expires: "2026-12-01" })];
    expect(judge(ruleNamed("https-only"), app(), context("dev", { exemptions: both }))).toEqual([]);
    const late = { ...context("dev", { exemptions: both }), today: "2027-05-01" };
    expect(judge(ruleNamed("https-only"), app(), late)[0]?.message).toContain("expired on 2027-03-31");
  });

  it("lifts nothing while it has a fault", () => {
    for (const more of [
      { reason: " " },
      { expires: "soon" },
      { expires: "2027-02-30" },
      { expires: "9999-12-31" },
    ])
      expect(judged(more)).toHaveLength(1);
  });

  it("applies to whole stacks too", () => {
    const lifted = exemption({ rule: "no-raw-secrets", property: "password" });
    const inputs = [
      {
        ...resource("azure-native:web:WebApp", { password: "x" }, "app", "dev"),
        dependencies: [],
        propertyDependencies: {},
      },
    ];
    expect(judgeStack(ruleNamed("no-raw-secrets"), inputs, context("dev", { exemptions: [lifted] }))).toEqual(
      [],
    );
    expect(judgeStack(ruleNamed("no-raw-secrets"), inputs, context("dev", { exemptions: [] }))).toHaveLength(
      1,
    );
  });
});

describe("exemptions-in-order", () => {
  const stack = resource("pulumi:pulumi:Stack", {}, "kiln-dev", "dev");
  const said = (...list: Exemption[]) =>
    judge(ruleNamed("exemptions-in-order"), stack, context("dev", { exemptions: list })).map(
      ({ message }) => message,
    );

  it("lets the pack's own pass", () => {
    expect(said(...exemptions)).toEqual([]);
    for (const each of exemptions)
      expect(standing(each.rule, app(), each.property, context()).kind).toBeDefined();
  });

  it("lets an expired one stand: it is judged where it was used", () =>
    expect(said(exemption({ expires: "2020-01-01" }))).toEqual([]));

  it.each<[string, Partial<Exemption>]>([
    ["gives no reason", { reason: "" }],
    ["no readable date", { expires: "31.03.2027" }],
    ["no readable date", { expires: "2027-13-01" }],
    ["days ahead", { expires: "2031-01-01" }],
    ["names no rule", { rule: "gone" }],
    ["names no property", { property: "" }],
    ["names no environment", { environments: [] }],
  ])("stops one that %s", (fault, more) =>
    expect(said(exemption(more))).toEqual([expect.stringContaining(fault)]),
  );

  it("is judged with the stack only, so once", () => {
    const bad = context("dev", { exemptions: [exemption({ reason: "" })] });
    expect(judge(ruleNamed("exemptions-in-order"), app(), bad)).toEqual([]);
  });

  it("reads days of the calendar only", () => {
    expect(parseDay("2028-02-29")).toBe(Date.UTC(2028, 1, 29));
    for (const day of ["2027-02-29", "2027-1-1", "", "2027-01-01T00:00:00Z"])
      expect(parseDay(day)).toBeUndefined();
    expect(faultsOf(exemption(), names, TODAY)).toEqual([]);
  });
});
