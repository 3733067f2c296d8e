import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { exportJWK, jwtVerify } from "jose";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { createService, pathOf, type Service } from "../core/service.ts";
import { serviceAccountIssuer } from "./commands.ts";
import { kubernetesPaths } from "./paths.ts";

/** Whether the cluster was ever started: its issuer has a key from then on. */
export function issuerExists(cloud: Cloud): boolean {
  return existsSync(kubernetesPaths(cloud.dataDir).tls("service-account.pub"));
}

function publicKey(cloud: Cloud): KeyObject {
  return createPublicKey(readFileSync(kubernetesPaths(cloud.dataDir).tls("service-account.pub"), "utf8"));
}

/** As the API server names its keys (kubernetes, pkg/serviceaccount/jwt.go, keyIDFromPublicKey). */
function keyId(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64url");
}

/**
 * `kubernetes.kiln.sandbox`: what verifiers of a service account's token fetch. On Azure a cluster publishes the same at its
 * issuer's address, whether or not its API server can be reached.
 */
export function createKubernetesIssuer(cloud: Cloud): Service {
  const issuer = createService(cloud, {
    notFound: (request) =>
      new CloudError(404, "NotFound", `The sandbox's cluster issuer has nothing at '${pathOf(request)}'.`),
    identify: () => ({}),
  });
  issuer.get("/.well-known/openid-configuration", async () => ({
    issuer: serviceAccountIssuer,
    jwks_uri: `${serviceAccountIssuer}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  }));
  issuer.get("/openid/v1/jwks", async () => {
    const key = publicKey(cloud);
    return { keys: [{ ...(await exportJWK(key)), kid: keyId(key), use: "sig", alg: "RS256" }] };
  });
  return issuer;
}

/** For identities that trust service accounts of the cluster. */
export function kubernetesIssuer(cloud: Cloud): {
  issuer: string;
  isSigned(token: string): Promise<boolean>;
} {
  return {
    issuer: serviceAccountIssuer,
    isSigned: async (token) => {
      if (!issuerExists(cloud)) return false;
      try {
        const options = { issuer: serviceAccountIssuer, algorithms: ["RS256"], clockTolerance: 10 ** 9 };
        await jwtVerify(token, publicKey(cloud), options);
        return true;
      } catch {
        return false;
      }
    },
  };
}
