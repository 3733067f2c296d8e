import { createHash } from "node:crypto";
import type { CheckFailure, CheckRequest } from "./provider.ts";
import { pathParameters, type ResourceType } from "./types.ts";
import { isMap, reveal, unknown, type Value, type ValueMap } from "./values.ts";

/** Kept in the inputs, as the real provider does: a random name lets the new resource come before the old one goes. */
export const createBeforeDelete = "__createBeforeDelete";

/** Asks where a resource group is; undefined when that cannot be told. */
export type GroupLocation = (resourceGroup: string) => Promise<string | undefined>;

/** Fills in name and location, and says what is wrong with the inputs. */
export async function checkInputs(
  type: ResourceType,
  request: CheckRequest,
  configuredLocation: string | undefined,
  groupLocation: GroupLocation,
): Promise<{ inputs: ValueMap; failures: CheckFailure[] }> {
  const named = withName(type, request);
  const inputs = await withLocation(type, request.olds, named, configuredLocation, groupLocation);
  return { inputs, failures: failuresOf(type, inputs) };
}

function withName(type: ResourceType, request: CheckRequest): ValueMap {
  const { olds, news, autonaming } = request;
  const naming = type.naming;
  if (naming === undefined || news[naming.parameter] !== undefined) return news;
  const old = olds[naming.parameter];
  if (old !== undefined) {
    const flag = olds[createBeforeDelete];
    return { ...news, [naming.parameter]: old, ...(flag === true ? { [createBeforeDelete]: flag } : {}) };
  }
  if (autonaming?.mode === "disable") return news;
  if (autonaming?.mode === "enforce" || (autonaming?.mode === "propose" && naming.auto !== "uuid")) {
    return { ...news, [naming.parameter]: autonaming.proposed, [createBeforeDelete]: true };
  }
  if (naming.auto === "copy") return { ...news, [naming.parameter]: request.name };
  const hex = createHash("sha256").update(request.randomSeed).update(request.urn).digest("hex");
  const name = naming.auto === "uuid" ? uuidOf(hex) : `${request.name}${hex.slice(0, 8)}`;
  return { ...news, [naming.parameter]: name, [createBeforeDelete]: true };
}

function uuidOf(hex: string): string {
  const part = (from: number, to: number) => hex.slice(from, to);
  return [part(0, 8), part(8, 12), `4${part(13, 16)}`, `8${part(17, 20)}`, part(20, 32)].join("-");
}

async function withLocation(
  type: ResourceType,
  olds: ValueMap,
  news: ValueMap,
  configured: string | undefined,
  groupLocation: GroupLocation,
): Promise<ValueMap> {
  if (!type.shape.inputs.includes("location") || news.location !== undefined) return news;
  const settled = olds.location ?? configured;
  if (settled !== undefined) return { ...news, location: settled };
  const group = news.resourceGroupName === undefined ? undefined : reveal(news.resourceGroupName);
  if (group === unknown) return { ...news, location: unknown };
  const found = typeof group === "string" && type.naming?.parameter !== "resourceGroupName";
  const location = found ? await groupLocation(group) : undefined;
  return location === undefined ? news : { ...news, location };
}

function failuresOf(type: ResourceType, inputs: ValueMap): CheckFailure[] {
  const parameters = pathParameters(type);
  const known = new Set([...parameters, ...type.shape.inputs]);
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string) => failures.push({ property, reason });
  for (const path of [...parameters, ...(type.required ?? [])]) {
    const names = path.split(".");
    // One failure per gap: of what is inside of it nothing need be said.
    if (names.length > 1 && at(inputs, names.slice(0, -1)) === undefined) continue;
    if (at(inputs, names) !== undefined) continue;
    const hint =
      path === "location"
        ? ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."
        : "";
    fail(path, `missing required property '${path}'${hint}`);
  }
  for (const name of Object.keys(inputs)) {
    if (!known.has(name) && !name.startsWith("__")) {
      fail(name, `azure-native:${type.token} has no property '${name}'`);
    }
  }
  for (const name of parameters) {
    const value = inputs[name] === undefined ? undefined : reveal(inputs[name]);
    if (value === undefined || value === unknown) continue;
    const pattern = type.patterns?.[name];
    if (typeof value !== "string") fail(name, `'${name}' should be of type 'string'`);
    else if (pattern !== undefined && !pattern.test(value)) {
      fail(name, `'${name}' does not match expression '${pattern.source}'`);
    }
  }
  return failures;
}

/** The value at a path; unknown as soon as something on the way is. */
function at(inputs: ValueMap, names: readonly string[]): Value | undefined {
  let value: Value | undefined = inputs;
  for (const name of names) {
    const shown: Value | undefined = value === undefined ? undefined : reveal(value);
    if (shown === unknown) return unknown;
    value = isMap(shown) ? shown[name] : undefined;
  }
  return value;
}
