import { decodeJwt, type JWTPayload } from "jose";
import { federatedCredentialsOf } from "../arm/federated-credentials.ts";
import type { Cloud } from "../core/cloud.ts";
import type { Principal } from "../core/principals.ts";
import { OAuthError } from "./errors.ts";

/** Someone outside of the tenant whose tokens its identities may trust. */
export interface TrustedIssuer {
  /** As its tokens name it. */
  readonly issuer: string;
  /** Whether it signed a token, at whatever time. */
  isSigned(token: string): Promise<boolean>;
}

const help =
  "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/**
 * Takes a foreign token for a managed identity that trusts exactly it.
 * @throws OAuthError 401 AADSTS7002xx which of issuer, subject and audience does not match; AADSTS700024 out of time;
 *   AADSTS700027 not signed by who it says
 */
export async function requireFederation(
  cloud: Cloud,
  issuers: readonly TrustedIssuer[],
  identity: Principal,
  assertion: string,
): Promise<void> {
  const claims = claimsOf(assertion);
  requireMatch(federatedCredentialsOf(cloud, identity.name), claims);
  const issuer = issuers.find((each) => each.issuer === claims.iss);
  if (issuer === undefined || !(await issuer.isSigned(assertion))) {
    throw new OAuthError(401, "invalid_client", 700027, "Client assertion failed signature validation.");
  }
  requireTime(claims);
}

function claimsOf(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch {
    throw new OAuthError(401, "invalid_client", 50027, "JWT token is invalid or malformed.");
  }
}

/** Compares character by character: neither case nor pattern helps. */
export function requireMatch(
  trusted: readonly { issuer: string; subject: string; audiences: readonly string[] }[],
  { iss = "", sub = "", aud = [] }: Pick<JWTPayload, "iss" | "sub" | "aud">,
): void {
  const audiences = typeof aud === "string" ? [aud] : aud;
  const byIssuer = trusted.filter(({ issuer }) => issuer === iss);
  if (byIssuer.length === 0) throw noMatch(700211, "issuer", iss);
  const bySubject = byIssuer.filter(({ subject }) => subject === sub);
  if (bySubject.length === 0) {
    const nearly = byIssuer.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase());
    if (!nearly) throw noMatch(700213, "subject", sub);
    throw new OAuthError(
      401,
      "invalid_client",
      7002138,
      `No matching federated identity record found for presented assertion subject '${sub}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${help}`,
    );
  }
  if (!bySubject.some((each) => each.audiences.some((audience) => audiences.includes(audience)))) {
    throw noMatch(700212, "audience", audiences.join(", "));
  }
}

function noMatch(aadsts: number, what: string, value: string): OAuthError {
  const message = `No matching federated identity record found for presented assertion ${what} '${value}'. ${help}`;
  return new OAuthError(401, "invalid_client", aadsts, message);
}

function requireTime({ nbf = 0, exp = 0 }: JWTPayload): void {
  const now = Math.floor(Date.now() / 1000);
  // Entra allows for clocks that differ by five minutes.
  const early = now + 300 < nbf;
  if (!early && now < exp) return;
  const at = (seconds: number) => new Date(seconds * 1000).toISOString();
  throw new OAuthError(
    401,
    "invalid_client",
    700024,
    `Client assertion is not within its valid time range. Current time: ${at(now)}, assertion valid from ${at(nbf)}, expiry time of assertion ${at(exp)}.`,
  );
}
