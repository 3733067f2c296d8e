import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { rules } from "../../policies/index.ts";
import { judge, judgeStack } from "../../policies/judge.ts";
import { readConfigFiles, requireEnvironment } from "../../stacks/config.ts";
import { program } from "../../stacks/program.ts";
import { record, settled } from "../components/recording.ts";
import { context, resource } from "./support.ts";

const project = `${import.meta.dirname}/../..`;

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What the program registers for an environment with the configuration that is checked in. */
async function registrations(stack: string) {
  const { values } = readConfigFiles(project, requireEnvironment(stack));
  const recording = await record(stack);
  const config = Object.entries(values).map(([key, value]) => [
    `kiln:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config));
  await program();
  await settled();
  return recording.resources;
}

test.each(["dev", "staging", "prod", "pr-1", "pr-999999"])(
  "every resource of %s passes every policy, with the configuration that is checked in",
  async (stack) => {
    const made = await registrations(stack);
    expect(made.filter(({ type }) => type.startsWith("azure-native:")).length).toBeGreaterThan(12);
    const seen = made.map(({ type, name, inputs }) => resource(type, inputs, name, stack));
    const judgements = rules.flatMap((rule) => [
      ...seen.flatMap((each) => judge(rule, each, context(stack))),
      ...judgeStack(
        rule,
        made.map(({ type, name, inputs, dependsOn }) => ({
          ...resource(type, inputs, name, stack),
          dependencies: dependsOn,
          propertyDependencies: {},
        })),
        context(stack),
      ),
    ]);
    expect(judgements).toEqual([]);
  },
);

test("the policies do judge what the program makes: without its tags, all of it is refused", async () => {
  const made = await registrations("dev");
  const judged = made
    .filter(({ inputs }) => inputs.tags !== undefined)
    .map(({ type, name, inputs }) => resource(type, { ...inputs, tags: {} }, name, "dev"));
  const rule = rules.find(({ name }) => name === "required-tags");
  expect(rule).toBeDefined();
  for (const each of judged) {
    expect(rule === undefined ? [] : judge(rule, each, context("dev")), each.name).not.toEqual([]);
  }
  expect(judged.length).toBeGreaterThan(5);
});
