import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { exportJWK, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import type { Principal } from "./principals.ts";
import type { Collection } from "./store.ts";

/** Seconds that an access token lives unless asked otherwise. */
export const accessTokenSeconds = 3600;

/** Audience of the assertion that a workload exchanges for a token. */
const assertionAudience = "api://AzureADTokenExchange";

export type TokenProblem = "malformed" | "expired" | "audience";

export type TokenVerdict = { readonly principal: string } | { readonly problem: TokenProblem };

/**
 * Access tokens and workload assertions: RS256 tokens signed by the sandbox's own key. Their lifetimes run on the wall
 * clock, since a client judges by its own when to ask for a new one.
 */
export class Tokens {
  readonly #tenantId: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #kid: string;
  readonly #verified = new LRUCache<string, { objectId: string; audience: string; expires: number }>({
    max: 2000,
  });

  constructor(keys: Collection<{ kid: string; pem: string }>, tenantId: string) {
    this.#tenantId = tenantId;
    let saved = keys.get("signing");
    if (saved === undefined) {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      saved = { kid: randomUUID(), pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
      keys.put("signing", saved);
    }
    this.#kid = saved.kid;
    this.#private = createPrivateKey(saved.pem);
    this.#public = createPublicKey(this.#private);
  }

  async jwks(): Promise<{ keys: object[] }> {
    return { keys: [{ ...(await exportJWK(this.#public)), kid: this.#kid, use: "sig", alg: "RS256" }] };
  }

  /** An access token for `audience` (a resource URI without `/.default`), `seconds` long; negative makes a dead one. */
  async issue(principal: Principal, audience: string, seconds: number = accessTokenSeconds): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      appid: principal.clientId,
      appidacr: "1",
      idp: `https://sts.windows.net/${this.#tenantId}/`,
      idtyp: "app",
      oid: principal.objectId,
      sub: principal.objectId,
      tid: this.#tenantId,
      uti: randomUUID(),
      ver: "1.0",
    })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: this.#kid })
      .setIssuer(`https://sts.windows.net/${this.#tenantId}/`)
      .setAudience(audience)
      .setIssuedAt(Math.min(now, now + seconds) - 1)
      .setNotBefore(Math.min(now, now + seconds) - 1)
      .setExpirationTime(now + seconds)
      .sign(this.#private);
  }

  /** Whose token this is, or what is wrong with it for a service with these audiences. */
  async verify(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    let known = this.#verified.get(token);
    if (known === undefined) {
      try {
        const { payload } = await jwtVerify(token, this.#public, {
          algorithms: ["RS256"],
          clockTolerance: 10 ** 9,
        });
        if (typeof payload.oid !== "string" || typeof payload.aud !== "string" || payload.exp === undefined) {
          return { problem: "malformed" };
        }
        known = {
          objectId: payload.oid,
          audience: normalAudience(payload.aud),
          expires: payload.exp * 1000,
        };
        this.#verified.set(token, known);
      } catch {
        return { problem: "malformed" };
      }
    }
    if (known.expires <= Date.now()) return { problem: "expired" };
    if (!audiences.some((audience) => normalAudience(audience) === known.audience))
      return { problem: "audience" };
    return { principal: known.objectId };
  }

  /** The assertion that `AZURE_FEDERATED_TOKEN_FILE` holds: proof of a workload's identity without a secret. */
  async assertion(clientId: string, days = 365): Promise<string> {
    return new SignJWT({})
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: this.#kid })
      .setIssuer(this.assertionIssuer())
      .setSubject(clientId)
      .setAudience(assertionAudience)
      .setIssuedAt()
      .setJti(randomUUID())
      .setExpirationTime(`${days}d`)
      .sign(this.#private);
  }

  /** The client id that a workload's assertion proves; undefined when it proves nothing. */
  async verifyAssertion(assertion: string): Promise<string | undefined> {
    try {
      const { payload } = await jwtVerify(assertion, this.#public, {
        algorithms: ["RS256"],
        issuer: this.assertionIssuer(),
        audience: assertionAudience,
      });
      return payload.sub;
    } catch {
      return undefined;
    }
  }

  assertionIssuer(): string {
    return `https://login.microsoftonline.com/${this.#tenantId}/workloads`;
  }
}

function normalAudience(audience: string): string {
  return audience.replace(/\/+$/, "").toLowerCase();
}
