import { z } from "zod";
import { parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { type AccessPolicy, vaultProperties, vaultType } from "./state.ts";
import { type AccessPolicyRequest, accessPolicySchema } from "./vault-body.ts";
import { requireVault, type VaultRoute, vaultPath } from "./vaults.ts";

const bodySchema = z.looseObject({
  properties: z.looseObject({ accessPolicies: z.array(accessPolicySchema) }),
});

type Route = { Params: VaultRoute["Params"] & { kind: string } };

/** `PUT …/accessPolicies/{add|replace|remove}`: one principal's policy without the others'. */
export function accessPolicyRoutes(arm: Service, cloud: Cloud): void {
  arm.put<Route>(`${vaultPath}/accessPolicies/:kind`, async (request) => {
    const vault = requireVault(cloud, request.params);
    const kind = request.params.kind.toLowerCase();
    const asked = parseBody(bodySchema, request.body).properties.accessPolicies;
    const present = vaultProperties(vault).accessPolicies;
    const accessPolicies = changed(kind, present, asked.map(plain));
    cloud.resources.put({
      ...vault,
      body: {
        ...vault.body,
        properties: { ...(vault.body.properties as JsonObject), accessPolicies } as JsonObject,
      },
    });
    return {
      id: `${vault.id}/accessPolicies/`,
      type: `${vaultType}/accessPolicies`,
      properties: { accessPolicies },
    };
  });
}

function changed(
  kind: string,
  present: readonly AccessPolicy[],
  asked: readonly AccessPolicy[],
): AccessPolicy[] {
  const isSame = (a: AccessPolicy, b: AccessPolicy) => a.objectId.toLowerCase() === b.objectId.toLowerCase();
  const others = present.filter((policy) => !asked.some((each) => isSame(each, policy)));
  const ofSame = (policy: AccessPolicy) => present.find((each) => isSame(each, policy));
  switch (kind) {
    case "add":
      return [...others, ...asked.map((policy) => combine(ofSame(policy), policy, union))];
    case "replace":
      return [...others, ...asked];
    case "remove":
      return [
        ...others,
        ...asked.flatMap((policy) => {
          const before = ofSame(policy);
          const left = before === undefined ? undefined : combine(before, policy, difference);
          return left === undefined || isEmpty(left) ? [] : [left];
        }),
      ];
    default:
      throw new CloudError(
        400,
        "BadRequest",
        `The access policy operation '${kind}' is not one of add, replace, remove.`,
      );
  }
}

type Combination = (present: readonly string[], asked: readonly string[]) => string[];
const union: Combination = (present, asked) => [...new Set([...present, ...asked])];
const difference: Combination = (present, asked) => present.filter((each) => !asked.includes(each));

function combine(before: AccessPolicy | undefined, policy: AccessPolicy, how: Combination): AccessPolicy {
  const kinds = ["keys", "secrets", "certificates", "storage"] as const;
  const permissions = Object.fromEntries(
    kinds.map((kind) => [kind, how(before?.permissions[kind] ?? [], policy.permissions[kind] ?? [])]),
  );
  return { ...policy, permissions };
}

function isEmpty(policy: AccessPolicy): boolean {
  return Object.values(policy.permissions).every((each) => each.length === 0);
}

function plain(policy: AccessPolicyRequest): AccessPolicy {
  const given = Object.entries(policy.permissions).filter(
    ([, names]) => names !== null && names !== undefined,
  );
  return {
    tenantId: policy.tenantId,
    objectId: policy.objectId,
    permissions: Object.fromEntries(given),
  };
}
