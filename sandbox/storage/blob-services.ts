import { z } from "zod";
import { type ArmModule, groupId, parseBody } from "../arm/http.ts";
import type { JsonObject, Resource } from "../core/resources.ts";

type Route = { Params: { group: string; name: string } };

const retentionSchema = z.looseObject({
  enabled: z.boolean().nullish(),
  days: z.number().int().min(1).max(365).nullish(),
});
const bodySchema = z.looseObject({
  properties: z
    .looseObject({
      deleteRetentionPolicy: retentionSchema.nullish(),
      containerDeleteRetentionPolicy: retentionSchema.nullish(),
      isVersioningEnabled: z.boolean().nullish(),
    })
    .nullish(),
});

const defaults: JsonObject = {
  cors: { corsRules: [] },
  deleteRetentionPolicy: { allowPermanentDelete: false, enabled: false },
};

/** The blob service of an account: its properties, which every account has from the start. */
export const blobServices: ArmModule = (arm, cloud) => {
  const accounts = "Microsoft.Storage/storageAccounts";
  const path = `/subscriptions/:subscription/resourceGroups/:group/providers/${accounts}/:name/blobServices`;
  const requireAccount = ({ group, name }: Route["Params"]) =>
    cloud.resources.require(`${groupId(cloud, group)}/providers/${accounts}/${name}`);
  const idOf = (account: Resource) => `${account.id}/blobServices/default`;
  const propertiesOf = (account: Resource): JsonObject => {
    const kept = cloud.resources.get(idOf(account))?.body.properties as JsonObject | undefined;
    return { ...defaults, ...kept };
  };
  const show = (account: Resource) => ({
    sku: account.body.sku,
    id: idOf(account),
    name: "default",
    type: `${accounts}/blobServices`,
    properties: propertiesOf(account),
  });

  arm.get<Route>(path, async (request) => ({ value: [show(requireAccount(request.params))] }));
  arm.get<Route>(`${path}/default`, async (request) => show(requireAccount(request.params)));
  arm.put<Route>(`${path}/default`, async (request) => {
    const account = requireAccount(request.params);
    const given = Object.entries(parseBody(bodySchema, request.body).properties ?? {}).filter(
      ([, value]) => value !== undefined && value !== null,
    );
    cloud.resources.put({
      id: idOf(account),
      type: `${accounts}/blobServices`,
      name: "default",
      resourceGroup: account.resourceGroup,
      body: { properties: { ...propertiesOf(account), ...Object.fromEntries(given) } as JsonObject },
      createdAt: cloud.clock.now(),
    });
    return show(account);
  });
};
