import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Service } from "../core/service.ts";
import { namespace } from "./state.ts";

/**
 * Managed HSMs: the sandbox has none, and none can be made. `az keyvault` looks for a name among them whenever it looks
 * among the vaults, and gives up where the lists are not served.
 */
export function managedHsmRoutes(arm: Service, cloud: Cloud): void {
  const base = `/subscriptions/:subscription/providers/${namespace}`;
  const none = async () => ({ value: [] });
  arm.get(`${base}/managedHSMs`, none);
  arm.get(`${base}/deletedManagedHSMs`, none);
  arm.get(`/subscriptions/:subscription/resourceGroups/:group/providers/${namespace}/managedHSMs`, none);
  arm.get<{ Params: { group: string; name: string } }>(
    `/subscriptions/:subscription/resourceGroups/:group/providers/${namespace}/managedHSMs/:name`,
    async ({ params: { group, name } }) =>
      cloud.resources.require(
        `/subscriptions/${cloud.subscriptionId}/resourceGroups/${group}/providers/${namespace}/managedHSMs/${name}`,
      ),
  );
  arm.get<{ Params: { name: string } }>(
    `${base}/locations/:location/deletedManagedHSMs/:name`,
    async ({ params: { name } }) => {
      throw new CloudError(404, "DeletedHSMNotFound", `The specified deleted HSM '${name}' does not exist.`);
    },
  );
}
