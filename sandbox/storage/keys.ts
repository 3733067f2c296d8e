import { z } from "zod";
import { type ArmModule, groupId, parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";

type Route = { Params: { group: string; name: string } };

const type = "Microsoft.Storage/storageAccounts";
const accounts = `/subscriptions/:subscription/resourceGroups/:group/providers/${type}`;

const regenerateSchema = z.looseObject({ keyName: z.string() });

/** The two keys of an account: listed, and made anew one at a time. */
export const accountKeys: ArmModule = (arm, cloud) => {
  const requireAccount = ({ group, name }: Route["Params"]) =>
    cloud.resources.require(`${groupId(cloud, group)}/providers/${type}/${name}`);

  arm.post<Route>(`${accounts}/:name/listKeys`, async (request) => {
    const account = requireAccount(request.params);
    return { keys: shown(cloud, account) };
  });
  arm.post<Route>(`${accounts}/:name/regenerateKey`, async (request) => {
    const account = requireAccount(request.params);
    const { keyName } = parseBody(regenerateSchema, request.body);
    const keys = keysOf(account);
    if (!Object.hasOwn(keys, keyName))
      throw new CloudError(400, "InvalidKeyName", `The key '${keyName}' is neither key1 nor key2.`);
    const key = { value: cloud.mint.storageKey(account.id), createdAt: cloud.clock.now() };
    const changed = cloud.resources.put({ ...account, hidden: { keys: { ...keys, [keyName]: key } } });
    return { keys: shown(cloud, changed) };
  });
};

type Keys = { [name: string]: { value: string; createdAt: number } };

export function newKeys(cloud: Cloud, id: string): Keys {
  const key = () => ({ value: cloud.mint.storageKey(id), createdAt: cloud.clock.now() });
  return { key1: key(), key2: key() };
}

export function keysOf(account: Resource): Keys {
  return account.hidden?.keys as unknown as Keys;
}

function shown(cloud: Cloud, account: Resource): object[] {
  return Object.entries(keysOf(account)).map(([keyName, { value, createdAt }]) => ({
    creationTime: cloud.clock.iso(createdAt),
    keyName,
    value,
    permissions: "FULL",
  }));
}
