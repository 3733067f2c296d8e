import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { modelsIn, skusIn, usageName, usageTitle } from "../openai/catalogue.ts";
import type { DeletedAccounts } from "./deleted-accounts.ts";
import { accountType, deploymentHiddenOf, deploymentType } from "./state.ts";

/** One quota of the subscription in one region. Models count in thousands of tokens per minute. */
export interface Usage {
  readonly name: string;
  readonly title: string;
  readonly current: number;
  readonly limit: number;
}

export const accountCountUsage = "OpenAI.S0.AccountCount";
const accountLimit = 30;

/** Every quota of a region. Soft-deleted accounts and their deployments count until they are purged. */
export function usagesIn(cloud: Cloud, deleted: DeletedAccounts, location: string): Usage[] {
  const overrides = cloud.settings().quota;
  const gone = deleted.list();
  const held = heldCapacity(cloud, gone, location);
  const limitOf = (name: string, standard: number) => overrides[name]?.[location] ?? standard;
  const accounts =
    cloud.resources.ofType(accountType).filter((each) => each.location === location).length +
    gone.filter((each) => each.account.location === location).length;
  const usages = new Map<string, Usage>([
    [
      accountCountUsage,
      {
        name: accountCountUsage,
        title: "Account Count - OpenAI S0",
        current: accounts,
        limit: limitOf(accountCountUsage, accountLimit),
      },
    ],
  ]);
  for (const model of modelsIn(location)) {
    for (const sku of skusIn(model, location)) {
      const name = usageName(sku.name, model.name);
      if (usages.has(name)) continue;
      usages.set(name, {
        name,
        title: usageTitle(sku.name, model.name),
        current: held.get(name) ?? 0,
        limit: limitOf(name, sku.quota),
      });
    }
  }
  return [...usages.values()];
}

function heldCapacity(
  cloud: Cloud,
  gone: ReturnType<DeletedAccounts["list"]>,
  location: string,
): Map<string, number> {
  const deployments = [
    ...cloud.resources.ofType(deploymentType),
    ...gone.flatMap(({ deployments: each }) => each),
  ];
  const held = new Map<string, number>();
  for (const deployment of deployments) {
    const { location: where, usageName: name, capacity } = deploymentHiddenOf(deployment);
    if (where === location) held.set(name, (held.get(name) ?? 0) + capacity);
  }
  return held;
}

/** @throws CloudError 400 `InsufficientQuota` when the region's quota does not hold `more` on top of what is in use. */
export function requireQuota(
  cloud: Cloud,
  deleted: DeletedAccounts,
  location: string,
  name: string,
  more: number,
): void {
  const usage = usagesIn(cloud, deleted, location).find((each) => each.name === name);
  if (usage === undefined || more <= 0) return;
  const available = Math.max(0, usage.limit - usage.current);
  if (more <= available) return;
  throw new CloudError(
    400,
    "InsufficientQuota",
    `This operation require ${more} new capacity in quota ${usage.title}, which is bigger than the current available capacity ${available}. The current quota usage is ${usage.current} and the quota limit is ${usage.limit} for quota ${usage.title}.`,
  );
}

export function showUsage(usage: Usage): object {
  return {
    name: { value: usage.name, localizedValue: usage.title },
    unit: "Count",
    currentValue: usage.current,
    limit: usage.limit,
  };
}
