import type { ArmModule } from "../arm/http.ts";
import { accessPolicyRoutes } from "./access-policies.ts";
import { armSecretRoutes } from "./arm-secrets.ts";
import { deletedVaultRoutes } from "./deleted-routes.ts";
import { DeletedVaults, softDeleteOnRemove } from "./deleted-vaults.ts";
import { managedHsmRoutes } from "./managed-hsms.ts";
import { vaultRoutes } from "./vaults.ts";

/** `Microsoft.KeyVault`: vaults, their access policies and secrets as ARM resources, and what was deleted. */
export const keyVault: ArmModule = (arm, cloud) => {
  const deleted = new DeletedVaults(cloud);
  softDeleteOnRemove(cloud, deleted);
  vaultRoutes(arm, cloud, deleted);
  accessPolicyRoutes(arm, cloud);
  armSecretRoutes(arm, cloud);
  deletedVaultRoutes(arm, cloud, deleted);
  managedHsmRoutes(arm, cloud);
};
