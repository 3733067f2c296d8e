import type { ArmModule } from "../arm/http.ts";
import { accountKeyRoutes } from "./account-keys.ts";
import { accountRoutes } from "./accounts.ts";
import { DeletedAccounts, softDeleteOnRemove } from "./deleted-accounts.ts";
import { deletedAccountRoutes } from "./deleted-routes.ts";
import { deploymentRoutes } from "./deployments.ts";
import { offerRoutes } from "./offers.ts";

/** `Microsoft.CognitiveServices`: accounts, keys, deployments, quota, and what was deleted. */
export const cognitive: ArmModule = (arm, cloud) => {
  const deleted = new DeletedAccounts(cloud);
  softDeleteOnRemove(cloud, deleted);
  accountRoutes(arm, cloud, deleted);
  accountKeyRoutes(arm, cloud);
  deploymentRoutes(arm, cloud, deleted);
  deletedAccountRoutes(arm, cloud, deleted);
  offerRoutes(arm, cloud, deleted);
};
