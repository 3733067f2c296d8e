import { describe, expect, it } from "vitest";
import { judgeStack } from "../../policies/judge.ts";
import { type StackInput, UNKNOWN, type Value } from "../../policies/model.ts";
import { context, resource, ruleNamed } from "./support.ts";

const ACCOUNT = "azure-native:cognitiveservices:Account";
const DEPLOYMENT = "azure-native:cognitiveservices:Deployment";
const urn = (type: string, name: string) => `urn:pulumi:prod::kiln::${type}::${name}`;

const node = (
  type: string,
  name: string,
  props: Record<string, Value>,
  on: string[] = [],
  by: string[] = [],
): StackInput => ({
  ...resource(type, props, name),
  dependencies: on,
  propertyDependencies: { accountName: by },
});
const account = (name: string) => node(ACCOUNT, name, { name });
const deployment = (name: string, accountName: Value, on: string[] = [], by: string[] = []) =>
  node(
    DEPLOYMENT,
    name,
    { accountName },
    on.map((each) => (each.startsWith("urn:") ? each : urn(DEPLOYMENT, each))),
    by,
  );

const judged = (...resources: StackInput[]) =>
  judgeStack(ruleNamed("serial-deployments"), resources, context()).map(({ urn, message }) => [
    urn.split("::").at(-1),
    message,
  ]);

describe("serial-deployments", () => {
  it("lets a chain pass, in any order of listing", () => {
    expect(
      judged(deployment("c", "a", ["b"]), deployment("x", "a"), account("a"), deployment("b", "a", ["x"])),
    ).toEqual([]);
  });

  it("follows dependencies through other resources", () => {
    const step = urn("command:local:Command", "step");
    const between = node("command:local:Command", "step", {}, [urn(DEPLOYMENT, "x")]);
    expect(judged(account("a"), deployment("x", "a"), between, deployment("y", "a", [step]))).toEqual([]);
  });

  it("stops two that run side by side, and names both", () => {
    const found = judged(account("a"), deployment("x", "a"), deployment("y", "a"));
    expect(found).toEqual([["y", expect.stringContaining("must depend on x")]]);
  });

  it("stops a fork: two that wait for the same one", () => {
    expect(
      judged(account("a"), deployment("x", "a"), deployment("y", "a", ["x"]), deployment("z", "a", ["x"])),
    ).toHaveLength(1);
  });

  it("lets deployments of different accounts run side by side", () => {
    expect(judged(account("a"), account("b"), deployment("x", "a"), deployment("y", "b"))).toEqual([]);
  });

  it("tells accounts by dependency while their names are unknown", () => {
    const [a, b] = [urn(ACCOUNT, "a"), urn(ACCOUNT, "b")];
    const accounts = [account("a"), account("b")];
    expect(
      judged(...accounts, deployment("x", UNKNOWN, [a], [a]), deployment("y", UNKNOWN, [b], [b])),
    ).toEqual([]);
    expect(judged(...accounts, deployment("x", UNKNOWN, [a], [a]), deployment("y", "a"))).toHaveLength(1);
    expect(judged(deployment("x", UNKNOWN), deployment("y", UNKNOWN))).toHaveLength(1);
  });
});
