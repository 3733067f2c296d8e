import type { Model, Usage } from "@azure/arm-cognitiveservices";
import { type ModelConfig, STEERING_VARIABLES } from "../../stacks/config.ts";
import { exitCodes, KilnError } from "./errors.ts";
import type { Session, VerbContext } from "./session.ts";
import type { State } from "./state.ts";

/** What a region has of the wanted model. */
export interface Offer {
  readonly location: string;
  /** Why the model cannot be deployed there; undefined when it can. */
  readonly lacks?: {
    /** The cloud's code: `DeploymentModelNotSupported`, or one of a lack of room. */
    readonly code: string;
    readonly why: string;
  };
}

/** A region that was found to be full when the environment was being built there, or before. */
export type FullRegion = Offer & Required<Pick<Offer, "lacks">>;

/** What is known of regions beside the configuration. */
export interface PlaceOptions {
  /** The region that the stack's configuration holds the environment to; the first to be looked at. */
  readonly pinned?: string | undefined;
  /** Regions that turned out to be full, which are not tried again. */
  readonly full?: readonly FullRegion[];
  /** The only region where it can be, and why. */
  readonly only?: { readonly location: string; readonly why: string } | undefined;
}

/** Resources whose region is the environment's, and cannot be changed once they exist. */
const anchors = [
  "azure-native:cognitiveservices:Account",
  "azure-native:keyvault:Vault",
  "azure-native:resources:ResourceGroup",
];

/** The region that the environment is in, finished or not; undefined when nothing of it is on record. Pure. */
export function recordedLocation({ resources, pending }: State): string | undefined {
  const known = [...resources, ...pending.map(({ resource }) => resource)];
  const anchor = anchors.map((type) => known.find((each) => each.type === type)).find(Boolean);
  const location = anchor?.outputs?.location ?? anchor?.inputs?.location;
  return typeof location === "string" ? location.toLowerCase().replaceAll(" ", "") : undefined;
}

/** The region for people to see: where it is, or is to be; undefined for an environment that is all in a cluster. Pure. */
export function regionOf(
  { config, resolved }: Pick<Session, "config" | "resolved">,
  state: State,
): string | undefined {
  return (
    recordedLocation(state) ??
    (config.foundry.enabled || !config.serving.enabled ? resolved.location : undefined)
  );
}

/** The region as a part of a verb's document; nothing where there is none. Pure. */
export function regionPart(region: string | undefined, known: unknown = undefined): { region?: string } {
  const said = typeof known === "string" ? known : region;
  return said === undefined ? {} : { region: said };
}

/** Judges one region by what it offers and by its quotas, in the API's own words. Pure. */
export function judgeOffer(
  location: string,
  wanted: ModelConfig,
  models: readonly Pick<Model, "kind" | "model">[],
  usages: readonly Pick<Usage, "name" | "currentValue" | "limit">[],
): Offer {
  const named = models.flatMap(({ kind, model }) =>
    kind === "OpenAI" && model?.name?.toLowerCase() === wanted.name.toLowerCase() ? [model] : [],
  );
  const version = named.find((model) => model.version === wanted.version);
  const sku = version?.skus?.find(({ name }) => name === wanted.sku);
  if (sku === undefined) {
    const skus = version?.skus?.map(({ name }) => name).join(", ");
    const others = named.map((model) => model.version).join(", ");
    const has =
      version !== undefined
        ? `has it as ${skus || "nothing that can be deployed"}`
        : named.length > 0
          ? `has version ${others}`
          : "does not have it";
    return { location, lacks: { code: "DeploymentModelNotSupported", why: has } };
  }
  const usage = usages.find(({ name }) => name?.value === sku.usageName);
  const left = usage === undefined ? undefined : Math.max(0, (usage.limit ?? 0) - (usage.currentValue ?? 0));
  if (left === undefined || wanted.capacity <= left) return { location };
  return {
    location,
    lacks: {
      code: "InsufficientQuota",
      why: `has ${left} of ${usage?.limit} thousand tokens per minute left`,
    },
  };
}

/**
 * The failure of finding no region, which says of each what it lacks. Pure.
 * @param offers one or more
 */
export function noRegion(offers: readonly Offer[], wanted: ModelConfig): KilnError {
  const full = offers.filter(({ lacks }) => lacks?.code !== "DeploymentModelNotSupported");
  const code = full.length > 0 ? "InsufficientQuota" : "DeploymentModelNotSupported";
  const what = `${wanted.name} ${wanted.version} (${wanted.sku}, ${wanted.capacity} thousand tokens per minute)`;
  return new KilnError({
    code,
    message:
      code === "InsufficientQuota"
        ? `no configured region has enough quota left for ${what}`
        : `no configured region offers ${what}`,
    cause: offers.map(({ location, lacks }) => `${location} ${lacks?.why}`).join("\n"),
    next:
      code === "InsufficientQuota"
        ? "Lower kiln:foundry.model.capacity, add a region to kiln:fallbackLocations, purge deleted accounts, or ask for more quota. Nothing was made."
        : "Choose another model, version or SKU in kiln:foundry.model, or other regions in kiln:location and kiln:fallbackLocations. Nothing was made.",
  });
}

/** Has the program build in this location, from here on. */
export function buildIn(session: Session, location: string): void {
  const { config, wantedLocation } = session;
  if (location !== config.location) process.env[STEERING_VARIABLES.location] = location;
  // An earlier try of this run may have been elsewhere.
  else if (wantedLocation === undefined) delete process.env[STEERING_VARIABLES.location];
}

/** The regions to look at, in order: never one that is not configured, nor one that is known to be full. Pure. */
export function candidates(
  { config, wantedLocation }: Pick<Session, "config" | "wantedLocation">,
  { pinned, full = [], only }: PlaceOptions,
): string[] {
  const first = wantedLocation ?? only?.location;
  const order = first === undefined ? [pinned, ...config.locations] : [first];
  const known = order.filter((each) => each !== undefined && config.locations.includes(each));
  return [...new Set(known as string[])].filter((each) => !full.some(({ location }) => location === each));
}

/**
 * Where the environment is, or is to be: the region on record, else the first of the configured ones that offers the
 * model and has quota left for it.
 * @throws KilnError `RegionChanged`, exit code 2, when it is, or must be, in a region that is not configured;
 *   `InsufficientQuota` or `DeploymentModelNotSupported` when no configured region will do
 */
export async function place(
  context: VerbContext,
  session: Session,
  state: State,
  options: PlaceOptions = {},
): Promise<string> {
  const { config } = session;
  const { only, full = [] } = options;
  const recorded = recordedLocation(state);
  if (recorded !== undefined) return stay(session, recorded);
  if (!config.foundry.enabled) return config.location;
  if (only !== undefined) stay(session, only.location, only.why);
  const chosen = candidates(session, options);
  const offers: Offer[] = [...full];
  for (const [at, location] of chosen.entries()) {
    const offer = await lookAt(session, location);
    if (offer.lacks === undefined) return location;
    offers.push(offer);
    const next = chosen[at + 1];
    if (next !== undefined) context.out.warn(`${location} ${offer.lacks.why}; looking at ${next}.`);
  }
  const barred = only === undefined ? [] : config.locations.filter((each) => each !== only.location);
  const why = `is no choice: ${only?.why}`;
  const others = barred.map((location) => ({ location, lacks: { code: "InsufficientQuota", why } }));
  throw noRegion([...offers, ...others], config.foundry.model);
}

/** @throws KilnError when the configuration wants the environment elsewhere: names and secrets cannot move along */
export function stay(
  session: Pick<Session, "config" | "wantedLocation">,
  recorded: string,
  why = "What an environment is made of cannot be moved from region to region.",
): string {
  const { config, wantedLocation = recorded } = session;
  if (config.locations.includes(recorded) && wantedLocation === recorded) return recorded;
  const wanted = wantedLocation === recorded ? config.locations.join(" or ") : wantedLocation;
  throw new KilnError(
    {
      code: "RegionChanged",
      message: `${config.environment.name} is in ${recorded}, and is wanted in ${wanted}`,
      cause: why,
      next: `Set the region back, or take it down first: \`kiln down ${config.environment.name}\`. Nothing was changed.`,
    },
    exitCodes.usage,
  );
}

async function lookAt({ clients, config }: Session, location: string): Promise<Offer> {
  const { models, usages } = await clients.cognitive();
  try {
    const [offered, used] = await Promise.all([all(models.list(location)), all(usages.list(location))]);
    return judgeOffer(location, config.foundry.model, offered, used);
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 400 && statusCode !== 404) throw error;
    return { location, lacks: { code: "DeploymentModelNotSupported", why: "is no region of this cloud" } };
  }
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of pages) found.push(each);
  return found;
}
