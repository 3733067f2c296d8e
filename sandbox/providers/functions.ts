import { isRecord } from "./arm-client.ts";
import type { ArmResources } from "./arm-resources.ts";
import { findType } from "./catalogue.ts";
import type { CheckFailure } from "./provider.ts";
import { pathParameters, type ResourceType, resourceId } from "./types.ts";
import { hasUnknown, mapValues, plainMap, Secret, type ValueMap } from "./values.ts";

/** A bearer token of the session's principal for a scope such as `https://management.azure.com/.default`. */
export type GetToken = (scope: string) => Promise<string>;

interface Context {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly getToken: GetToken;
  readonly arm: ArmResources;
}

/** Functions that list what is secret: a POST below the id of a resource. */
const secretLists: Readonly<Record<string, { readonly of: string; readonly path: string }>> = {
  "cognitiveservices:listAccountKeys": { of: "cognitiveservices:Account", path: "/listKeys" },
  "operationalinsights:getSharedKeys": { of: "operationalinsights:Workspace", path: "/sharedKeys" },
  "operationalinsights:getWorkspaceSharedKeys": { of: "operationalinsights:Workspace", path: "/sharedKeys" },
  "storage:listStorageAccountKeys": { of: "storage:StorageAccount", path: "/listKeys" },
  "web:listWebAppApplicationSettings": { of: "web:WebAppApplicationSettings", path: "/list" },
  "web:listWebAppConnectionStrings": { of: "web:WebAppConnectionStrings", path: "/list" },
};

/** Arguments beside the path's that change nothing in the sandbox's answer. */
const ignored: ReadonlySet<string> = new Set(["expand"]);

/** Calls a function of azure-native by its token. @throws Error when it is not served, or when the cloud refuses. */
export async function invokeFunction(
  context: Context,
  token: string,
  args: ValueMap,
  signal: AbortSignal,
): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
  const [, module = "", name = ""] = token.split(":");
  const short = `${module.split("/")[0]}:${name}`;
  if (short === "authorization:getClientConfig") return answer(await clientConfig(context));
  if (short === "authorization:getClientToken") return answer(await clientToken(context, args));
  const list = secretLists[short];
  const type = findType(`azure-native:${list?.of ?? getterOf(short)}`);
  if (type === undefined) throw new Error(`the sandbox does not serve function '${token}'`);
  const failures = missing(type, args);
  if (failures.length > 0) return { result: {}, failures };
  const id = resourceId(type, context.subscriptionId, plainMap(args));
  if (list === undefined) return answer(await get(context, type, id, token, signal));
  const { id: _, ...listed } = await context.arm.post(`${id}${list.path}`, type.apiVersion, signal);
  return answer(mapValues(listed, (value) => new Secret(value)));
}

function getterOf(short: string): string {
  const found = /^(\w+):get(\w+)$/.exec(short);
  return found === null ? "" : `${found[1]}:${found[2]}`;
}

async function get(
  context: Context,
  type: ResourceType,
  id: string,
  token: string,
  signal: AbortSignal,
): Promise<ValueMap> {
  const live = await context.arm.read(type, id, signal);
  if (live === undefined) throw new Error(`${token}: '${id}' was not found (Status=404)`);
  return { ...live.outputs, id: live.id };
}

function missing(type: ResourceType, args: ValueMap): CheckFailure[] {
  const parameters = pathParameters(type);
  const gaps = parameters.filter((name) => args[name] === undefined || hasUnknown(args[name]));
  const strange = Object.keys(args).filter((name) => !parameters.includes(name) && !ignored.has(name));
  return [
    ...gaps.map((name) => ({ property: name, reason: `missing required property '${name}'` })),
    ...strange.map((name) => ({ property: name, reason: `there is no argument '${name}'` })),
  ];
}

/** Who the provider acts as: read from its own token, as the real one does. */
async function clientConfig(context: Context): Promise<ValueMap> {
  const claims = claimsOf(await context.getToken("https://management.azure.com/.default"));
  return {
    clientId: claims.appid ?? claims.azp ?? "",
    objectId: claims.oid ?? "",
    subscriptionId: context.subscriptionId,
    tenantId: claims.tid ?? context.tenantId,
  };
}

function claimsOf(token: string): Record<string, string> {
  const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  if (!isRecord(payload)) throw new Error("the provider's access token has no claims");
  return Object.fromEntries(
    Object.entries(payload).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

async function clientToken(context: Context, args: ValueMap): Promise<ValueMap> {
  const { endpoint } = plainMap(args);
  const audience =
    typeof endpoint === "string" && endpoint !== "" ? endpoint : "https://management.azure.com/";
  return { token: new Secret(await context.getToken(`${audience}/.default`)) };
}

function answer(result: ValueMap): { result: ValueMap; failures: CheckFailure[] } {
  return { result, failures: [] };
}
