import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { findType, resourceTypes } from "../../sandbox/providers/catalogue.ts";
import { parseResourceId, pathParameters, resourceId } from "../../sandbox/providers/types.ts";

const require = createRequire(import.meta.url);

/** What the SDK's own module says of a type. */
function sdkType(token: string) {
  const [module = "", name = ""] = token.split(":");
  const file = `@pulumi/azure-native/${module}/${name[0]?.toLowerCase()}${name.slice(1)}.js`;
  const source = readFileSync(require.resolve(file), "utf8").replace(/\/\/# sourceMappingURL.*/, "");
  const body = source.slice(source.indexOf("constructor("));
  const assigned = [
    ...body.slice(0, body.indexOf("else {")).matchAll(/resourceInputs\["(\w+)"\] = (undefined)?/g),
  ];
  const names = (isOutput: boolean) =>
    assigned.flatMap(([, each, value]) =>
      (value !== undefined) === isOutput && each !== undefined ? [each] : [],
    );
  return {
    token: /__pulumiType = '([^']+)'/.exec(source)?.[1],
    apiVersion: /Uses Azure REST API version ([\w-]+)/.exec(source)?.[1],
    inputs: names(false),
    outputs: names(true),
    required: [...body.matchAll(/Missing required property '(\w+)'/g)].flatMap(([, each]) => each ?? []),
  };
}

describe.each(resourceTypes().map((type) => [type.token, type] as const))("%s", (token, type) => {
  const sdk = sdkType(token);

  test("has the SDK's token and default API version", () => {
    expect(sdk.token).toBe(`azure-native:${token}`);
    expect(type.apiVersion).toBe(sdk.apiVersion);
  });

  test("has the SDK's inputs and outputs", () => {
    expect([...new Set([...pathParameters(type), ...type.shape.inputs])].sort()).toEqual(
      [...sdk.inputs].sort(),
    );
    const outputs = (type.shape.readOnly ?? []).filter((name) => !sdk.inputs.includes(name));
    expect([...outputs, "azureApiVersion"].sort()).toEqual([...sdk.outputs].sort());
  });

  test("requires what the SDK requires", () => {
    const required = [...pathParameters(type), ...(type.required ?? [])];
    for (const name of sdk.required) expect(required).toContain(name);
  });

  test("names only inputs in its rules", () => {
    const rules = [
      ...(type.required ?? []),
      ...(type.replaceOn ?? []),
      ...(type.fixedOnceSet ?? []),
      ...(type.shape.envelope ?? []),
      ...Object.keys(type.defaults ?? {}),
    ];
    const known = [...pathParameters(type), ...type.shape.inputs];
    for (const rule of rules) expect(known).toContain(rule.split(".")[0]);
  });

  test("has an id that reads back, whatever its case", () => {
    const parameters = Object.fromEntries(
      pathParameters(type).map((name) => [
        name,
        name === "scope" ? "/subscriptions/s/resourceGroups/g" : `x-${name.length}`,
      ]),
    );
    const id = resourceId(type, "s", parameters);
    expect(parseResourceId(type, id)).toEqual(parameters);
    expect(parseResourceId(type, id.replace("/providers/", "/PROVIDERS/"))).toEqual(parameters);
    expect(parseResourceId(type, `${id}/more/x`)).toBeUndefined();
  });
});

test("finds a type by token, version suffix or not", () => {
  expect(findType("azure-native:keyvault:Vault")?.token).toBe("keyvault:Vault");
  expect(findType("azure-native:keyvault/v20230701:Vault")?.token).toBe("keyvault:Vault");
  expect(findType("azure-native:compute:VirtualMachine")).toBeUndefined();
});
