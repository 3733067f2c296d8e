import type { FastifyRequest } from "fastify";
import type { Cloud } from "../core/cloud.ts";
import type { Principal } from "../core/principals.ts";
import { createService, pathOf, type Service } from "../core/service.ts";
import { accessTokenSeconds } from "../core/tokens.ts";
import { OAuthError } from "./errors.ts";
import { requireFederation, type TrustedIssuer } from "./federation.ts";

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/**
 * `login.microsoftonline.com`: discovery and tokens for the sandbox's one tenant, by client secret or by assertion.
 * @param issuers whose tokens managed identities may trust
 */
export function createLogin(cloud: Cloud, issuers: readonly TrustedIssuer[] = []): Service {
  const login = createService(cloud, {
    notFound: (request) =>
      new OAuthError(404, "invalid_request", 900144, `The sandbox has nothing at '${pathOf(request)}'.`),
    render: (error) => ({
      error: error instanceof OAuthError ? error.code : "invalid_request",
      error_description: error.message,
      error_codes: error instanceof OAuthError ? [error.aadsts] : [],
      timestamp: new Date().toISOString(),
    }),
  });
  login.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  type Route = { Params: { tenant: string }; Querystring: { authorization_endpoint?: string } };
  login.get<Route>("/:tenant/v2.0/.well-known/openid-configuration", async (request) =>
    configuration(requireTenant(cloud, request.params.tenant), "/v2.0"),
  );
  login.get<Route>("/:tenant/.well-known/openid-configuration", async (request) =>
    configuration(requireTenant(cloud, request.params.tenant), ""),
  );
  login.get("/common/discovery/keys", async () => cloud.tokens.jwks());
  login.get<Route>("/:tenant/discovery/v2.0/keys", async () => cloud.tokens.jwks());
  login.get("/common/discovery/instance", async () => ({
    tenant_discovery_endpoint: `https://login.microsoftonline.com/${cloud.tenantId}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [
      {
        preferred_network: "login.microsoftonline.com",
        preferred_cache: "login.windows.net",
        aliases: ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
      },
    ],
  }));
  login.post<Route>("/:tenant/oauth2/v2.0/token", async (request) => token(cloud, issuers, request, "v2"));
  login.post<Route>("/:tenant/oauth2/token", async (request) => token(cloud, issuers, request, "v1"));
  return login;
}

async function token(
  cloud: Cloud,
  issuers: readonly TrustedIssuer[],
  request: FastifyRequest,
  version: "v1" | "v2",
): Promise<object> {
  requireTenant(cloud, (request.params as { tenant: string }).tenant);
  const form = (request.body ?? {}) as Record<string, string | undefined>;
  if (form.grant_type !== "client_credentials") {
    throw new OAuthError(
      400,
      "unsupported_grant_type",
      70003,
      `The app requested an unsupported grant type '${form.grant_type ?? ""}'.`,
    );
  }
  const audience = version === "v1" ? form.resource : audienceOf(form.scope);
  if (audience === undefined || audience === "") {
    throw new OAuthError(
      400,
      "invalid_scope",
      1002012,
      `The provided value for scope '${form.scope ?? ""}' is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
    );
  }
  const principal = await client(cloud, issuers, form, request);
  const accessToken = await cloud.tokens.issue(principal, audience);
  cloud.mint.rememberToken(accessToken, principal.name);
  const expiresOn = Math.floor(Date.now() / 1000) + accessTokenSeconds;
  return {
    token_type: "Bearer",
    ...(version === "v1"
      ? {
          expires_in: String(accessTokenSeconds),
          ext_expires_in: String(accessTokenSeconds),
          expires_on: String(expiresOn),
          resource: audience,
        }
      : { expires_in: accessTokenSeconds, ext_expires_in: accessTokenSeconds }),
    access_token: accessToken,
  };
}

/** Who asks, by HTTP basic, `client_secret` or `client_assertion`. */
async function client(
  cloud: Cloud,
  issuers: readonly TrustedIssuer[],
  form: Record<string, string | undefined>,
  request: FastifyRequest,
): Promise<Principal> {
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const [basicId, basicSecret] =
    basic === undefined ? [] : Buffer.from(basic, "base64").toString().split(":").map(decodeURIComponent);
  const clientId = form.client_id ?? basicId ?? "";
  const principal = cloud.principals.byClientId(clientId);
  const assertion = form.client_assertion;
  if (principal?.kind === "ManagedIdentity" && form.client_assertion_type === assertionType && assertion) {
    await requireFederation(cloud, issuers, principal, assertion);
    return principal;
  }
  if (principal === undefined || principal.kind !== "ServicePrincipal") {
    throw new OAuthError(
      400,
      "unauthorized_client",
      700016,
      `Application with identifier '${clientId}' was not found in the directory 'Kiln sandbox'.`,
    );
  }
  if (assertion !== undefined) {
    const proven =
      form.client_assertion_type === assertionType
        ? await cloud.tokens.verifyAssertion(assertion)
        : undefined;
    if (proven === principal.clientId) return principal;
    throw new OAuthError(
      401,
      "invalid_client",
      700024,
      "Client assertion is not within its valid time range, or was not signed for this application.",
    );
  }
  const secret = form.client_secret ?? basicSecret;
  if (secret === undefined) {
    throw new OAuthError(
      401,
      "invalid_client",
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  }
  if (!cloud.principals.secretMatches(principal, secret)) {
    throw new OAuthError(
      401,
      "invalid_client",
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
    );
  }
  return principal;
}

/** `https://management.core.windows.net//.default` means the audience `https://management.core.windows.net/`. */
function audienceOf(scope: string | undefined): string | undefined {
  return scope
    ?.split(" ")
    .find((each) => each.endsWith("/.default"))
    ?.slice(0, -"/.default".length);
}

function requireTenant(cloud: Cloud, tenant: string): string {
  if (tenant.toLowerCase() === cloud.tenantId || tenant === "organizations" || tenant === "common")
    return cloud.tenantId;
  throw new OAuthError(
    400,
    "invalid_tenant",
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
  );
}

function configuration(tenantId: string, version: string): object {
  const base = `https://login.microsoftonline.com/${tenantId}`;
  return {
    token_endpoint: `${base}/oauth2${version}/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: version === "" ? `https://sts.windows.net/${tenantId}/` : `${base}/v2.0`,
    request_uri_parameter_supported: false,
    authorization_endpoint: `${base}/oauth2${version}/authorize`,
    device_authorization_endpoint: `${base}/oauth2${version}/devicecode`,
    tenant_region_scope: "NA",
    cloud_instance_name: "microsoftonline.com",
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
  };
}
