import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { type Condition, meets, parseFilter } from "../core/odata-filter.ts";
import { knownPrincipals, type Principal } from "../core/principals.ts";
import { bearerOf, createService, headerOf, pathOf, type Service } from "../core/service.ts";

const audiences = ["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"];

type Query = { $filter?: string; $select?: string; $top?: string; $skiptoken?: string };
type Route = { Params: { id: string }; Querystring: Query };

const idsSchema = z.looseObject({
  ids: z.array(z.string()).min(1).max(1000),
  types: z.array(z.string()).nullish(),
});

/**
 * `graph.microsoft.com`: the sandbox's directory as Microsoft Graph shows it, to read. It has the sandbox's service
 * principals and managed identities, and neither users nor groups.
 */
export function createGraph(cloud: Cloud): Service {
  const graph = createService(cloud, {
    notFound: (request) =>
      new CloudError(
        404,
        "Request_ResourceNotFound",
        `The sandbox has nothing at ${request.method} '${pathOf(request)}': of Microsoft Graph it serves servicePrincipals, directoryObjects, users and groups, to read.`,
      ),
    render: (error) => ({
      error: {
        code: error.code,
        message: error.message,
        innerError: { date: new Date().toISOString().slice(0, 19), "request-id": crypto.randomUUID() },
      },
    }),
    rewrite: keyAsSegment,
  });
  graph.addHook("preHandler", async (request) => {
    await requireReader(cloud, request);
  });
  for (const version of ["v1.0", "beta"]) routes(graph, cloud, version);
  return graph;
}

function routes(graph: Service, cloud: Cloud, version: string): void {
  const context = (what: string) => `https://graph.microsoft.com/${version}/$metadata#${what}`;
  const known = () => cloud.principals.list().filter((each) => each.knownFrom <= cloud.clock.now());
  const byId = (id: string) => known().find((each) => each.objectId === id.toLowerCase());

  graph.get<Route>(`/${version}/servicePrincipals`, async (request) => {
    const wanted = filtered(known(), request.query.$filter, cloud);
    return {
      "@odata.context": context("servicePrincipals"),
      ...page(request, wanted, (each) => show(cloud, each)),
    };
  });
  graph.get<Route>(`/${version}/servicePrincipals/:id`, async (request) => {
    const byAppId = /^appid=(.+)$/i.exec(request.params.id)?.[1]?.toLowerCase();
    const found =
      byAppId === undefined ? byId(request.params.id) : known().find((each) => each.clientId === byAppId);
    if (found === undefined) throw notInDirectory(byAppId ?? request.params.id);
    return {
      "@odata.context": context("servicePrincipals/$entity"),
      ...selected(show(cloud, found), request.query.$select),
    };
  });
  graph.get<Route>(`/${version}/directoryObjects/:id`, async (request) => {
    const found = byId(request.params.id);
    if (found === undefined) throw notInDirectory(request.params.id);
    return { "@odata.context": context("directoryObjects/$entity"), ...typed(cloud, found) };
  });
  graph.post(`/${version}/directoryObjects/getByIds`, async (request) => {
    const parsed = idsSchema.safeParse(request.body ?? {});
    if (!parsed.success) {
      throw new CloudError(
        400,
        "Request_BadRequest",
        'The body must name between 1 and 1000 ids: {"ids": […]}.',
      );
    }
    const { ids, types } = parsed.data;
    const wanted = (types ?? []).map((type) => type.toLowerCase());
    const typeFits =
      wanted.length === 0 || wanted.some((type) => /^(serviceprincipal|directoryobject)$/.test(type));
    return {
      "@odata.context": context("directoryObjects"),
      value: (typeFits ? ids : []).flatMap((id) => byId(id) ?? []).map((each) => typed(cloud, each)),
    };
  });
  for (const kind of ["users", "groups"]) {
    graph.get(`/${version}/${kind}`, async () => ({ "@odata.context": context(kind), value: [] }));
    graph.get<Route>(`/${version}/${kind}/:id`, async (request) => {
      throw notInDirectory(request.params.id);
    });
  }
  for (const path of [`/${version}/me`, `/${version}/me/*`]) {
    graph.get(path, async () => {
      throw new CloudError(
        400,
        "BadRequest",
        "/me request is only valid with delegated authentication flow.",
      );
    });
  }
}

/** OData's `servicePrincipals(appId='x')` and `servicePrincipals('x')` as path segments, which a router can match. */
function keyAsSegment(url: string): string {
  return url
    .replace(/^([^?]*\/servicePrincipals)\((?:%27|')([^'%)]*)(?:%27|')\)/i, "$1/$2")
    .replace(/^([^?]*\/servicePrincipals)\(appId(?:=|%3D)(?:%27|')([^'%)]*)(?:%27|')\)/i, "$1/appId=$2");
}

/**
 * Reading the directory takes a permission that most applications do not have: of the sandbox's principals those have
 * it that hold a role on the subscription from the start.
 */
async function requireReader(cloud: Cloud, request: FastifyRequest): Promise<void> {
  const token = bearerOf(request);
  if (token === undefined) throw new CloudError(401, "InvalidAuthenticationToken", "Access token is empty.");
  const verdict = await cloud.tokens.verify(token, audiences);
  if ("problem" in verdict) {
    const message = {
      malformed: "CompactToken validation failed: the access token is not valid.",
      expired: "Lifetime validation failed, the token is expired.",
      audience: "Access token validation failure. Invalid audience.",
    }[verdict.problem];
    throw new CloudError(401, "InvalidAuthenticationToken", message);
  }
  const caller = cloud.principals.byObjectId(verdict.principal);
  const roles: Readonly<Record<string, string | undefined>> = knownPrincipals;
  if (caller === undefined || roles[caller.name] === undefined) {
    throw new CloudError(
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
}

function filtered(principals: readonly Principal[], filter: string | undefined, cloud: Cloud): Principal[] {
  if (filter === undefined || filter === "") return [...principals];
  const parsed = parseFilter(filter);
  if (parsed === undefined) throw badFilter(filter);
  const holds = (principal: Principal, condition: Condition): boolean => {
    const shown = show(cloud, principal);
    const name = Object.keys(shown).find((each) => each.toLowerCase() === condition.field.toLowerCase());
    const actual = name === undefined ? undefined : shown[name];
    if (typeof actual !== "string" && !Array.isArray(actual)) throw badFilter(filter);
    return meets(condition, actual);
  };
  return principals.filter((each) => parsed.some((all) => all.every((condition) => holds(each, condition))));
}

/** A page of `$top` entries (100 unless told, 999 at most) and where the next one is. */
function page(
  request: FastifyRequest,
  principals: readonly Principal[],
  render: (principal: Principal) => Record<string, unknown>,
): object {
  const query = request.query as Query;
  const size = Number(query.$top ?? 100);
  const from = Number(query.$skiptoken ?? 0);
  if (!Number.isInteger(size) || size < 1 || size > 999 || !Number.isInteger(from) || from < 0) {
    throw new CloudError(
      400,
      "Request_BadRequest",
      "Invalid page size specified: $top is between 1 and 999.",
    );
  }
  const more = from + size < principals.length;
  const next = new URLSearchParams({ ...query, $skiptoken: String(from + size) } as Record<string, string>);
  return {
    ...(more ? { "@odata.nextLink": `https://${headerOf(request, "host")}${pathOf(request)}?${next}` } : {}),
    value: principals.slice(from, from + size).map((each) => selected(render(each), query.$select)),
  };
}

function selected(entity: Record<string, unknown>, select: string | undefined): Record<string, unknown> {
  if (select === undefined || select === "") return entity;
  const wanted = select.split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(entity).filter(([name]) => wanted.includes(name.toLowerCase())));
}

function typed(cloud: Cloud, principal: Principal): object {
  return { "@odata.type": "#microsoft.graph.servicePrincipal", ...show(cloud, principal) };
}

function show(cloud: Cloud, principal: Principal): Record<string, unknown> {
  const managed = principal.kind === "ManagedIdentity";
  const displayName = principal.name.split("/").at(-1) ?? principal.name;
  const explicit = /\/userAssignedIdentities\//i.test(principal.name);
  return {
    id: principal.objectId,
    deletedDateTime: null,
    accountEnabled: true,
    // A managed identity names the resource that it is, or is part of.
    alternativeNames: managed ? [`isExplicit=${explicit ? "True" : "False"}`, principal.name] : [],
    appDisplayName: managed ? null : displayName,
    appId: principal.clientId,
    appOwnerOrganizationId: managed ? null : cloud.tenantId,
    appRoleAssignmentRequired: false,
    displayName,
    servicePrincipalNames: [principal.clientId],
    servicePrincipalType: managed ? "ManagedIdentity" : "Application",
    tags: [],
  };
}

function notInDirectory(id: string): CloudError {
  return new CloudError(
    404,
    "Request_ResourceNotFound",
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

function badFilter(filter: string): CloudError {
  return new CloudError(
    400,
    "Request_UnsupportedQuery",
    `Unsupported or invalid query filter clause specified: ${filter}.`,
  );
}
