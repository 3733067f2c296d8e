import { z } from "zod";
import { parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { type AccountRoute, accountPath, requireAccount } from "./accounts.ts";
import { type AccountHidden, hiddenOf, propertiesOf, requireSettled } from "./state.ts";

const regenerateSchema = z.object({
  keyName: z
    .string()
    .refine((name) => ["key1", "key2"].includes(name.toLowerCase()), "either Key1 or Key2")
    .transform((name) => name.toLowerCase() as "key1" | "key2"),
});

/** The two keys of an account. */
export function accountKeyRoutes(arm: Service, cloud: Cloud): void {
  arm.post<AccountRoute>(`${accountPath}/listKeys`, async (request) => {
    const account = requireAccount(cloud, request.params);
    requireLocalAuth(account, "list");
    requireSettled(cloud, account);
    return show(hiddenOf(account));
  });

  // The old value dies at once; the new one is refused until it has reached every front end.
  arm.post<AccountRoute>(`${accountPath}/regenerateKey`, async (request) => {
    const account = requireAccount(cloud, request.params);
    const { keyName } = parseBody(regenerateSchema, request.body);
    requireLocalAuth(account, "regenerate");
    requireSettled(cloud, account);
    return cloud.store.transaction(() => {
      const hidden = hiddenOf(account);
      const fresh = {
        value: cloud.mint.openAiKey(account.id),
        validFrom: cloud.clock.now() + cloud.timings().keyPropagation,
      };
      const changed: AccountHidden = { ...hidden, keys: { ...hidden.keys, [keyName]: fresh } };
      cloud.resources.put({ ...account, hidden: changed });
      return show(changed);
    });
  });
}

function requireLocalAuth(account: Resource, verb: "list" | "regenerate"): void {
  if (propertiesOf(account).disableLocalAuth !== true) return;
  throw new CloudError(400, "BadRequest", `Failed to ${verb} key. disableLocalAuth is set to be true`);
}

function show({ keys }: AccountHidden): object {
  return { key1: keys.key1.value, key2: keys.key2.value };
}
