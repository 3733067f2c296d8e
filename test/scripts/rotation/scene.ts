import { createHash } from "node:crypto";
import { hiddenOf } from "../../../sandbox/cognitive/state.ts";
import type { Slot } from "../../../scripts/lib/keys/ports.ts";
import { azureRotationPorts, type KeyPlace } from "../../../scripts/lib/rotation/azure.ts";
import { rotate } from "../../../scripts/lib/rotation/rotate.ts";
import type { RotationOptions, RotationResult } from "../../../scripts/lib/rotation/types.ts";
import { Actor } from "../../harness/world/actor.ts";
import { type Saved, World } from "../../harness/world/world.ts";

export const SETTING = "AZURE_OPENAI_API_KEY";
const SECRET = "AZURE-OPENAI-API-KEY";
const group = "/resourceGroups/rg";
const account = `${group}/providers/Microsoft.CognitiveServices/accounts/oai-a`;
const vault = `${group}/providers/Microsoft.KeyVault/vaults/kv-a`;
const vaultUri = "https://kv-a.vault.azure.net/";
const roles = {
  officer: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
  reader: "4633458b-17de-408a-b874-0445c86b69e6",
};

/** An app that uses the key. */
export interface App {
  readonly name: string;
  /** The environment's own, with the backend's routes; else an adopted one that has none. */
  readonly made: boolean;
  /** Holds the version before the current one, whose key is the idle slot's. */
  readonly behind?: boolean;
}

export interface Setting {
  /** Slot whose key the secret holds; null when it holds neither. */
  readonly slot: Slot | null;
  readonly apps: readonly App[];
  /** Where `slot` is null: whether the version before holds a live key, which the apps have. */
  readonly liveBefore?: boolean;
  /** Whether nobody may use a key. */
  readonly noLocalAuth?: boolean;
}

export type Wanted = Partial<
  Pick<RotationOptions, "revokeOld" | "adopt" | "restart" | "maxAgeMs" | "timeoutMs" | "keepVersions">
>;

/** An environment's key with its consumers, before a rotation, and what must hold at every instant. */
export class Scene {
  readonly world = new World();
  readonly setting: Setting;
  /** Times at which an app held a key that the model refuses, in words. */
  readonly outages: string[] = [];
  /** Everything that runs told people. */
  readonly told: string[] = [];
  readonly place: KeyPlace;
  #runs = 0;
  #saved: Saved | undefined;

  private constructor(setting: Setting) {
    this.setting = setting;
    this.place = {
      resourceGroup: "rg",
      account: "oai-a",
      endpoint: "https://oai-a.openai.azure.com/",
      vault: "kv-a",
      vaultUri,
      secret: SECRET,
      apps: setting.apps.map(({ name, made }) => ({ resourceGroup: "rg", app: name, made })),
    };
  }

  static async open(setting: Setting): Promise<Scene> {
    const scene = new Scene(setting);
    await scene.#build();
    return scene;
  }

  /** As it was before anything ran. */
  again(): void {
    this.outages.length = 0;
    this.told.length = 0;
    if (this.#saved !== undefined) this.world.restore(this.#saved);
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** Runs a rotation as the process `actor`, under a name of its own. */
  async rotate(wanted: Wanted = {}, actor = new Actor(this.world)): Promise<RotationResult> {
    const { credential, cloud } = this.world;
    const reach = {
      credential,
      subscriptionId: cloud.subscriptionId,
      clientOptions: actor.clientOptions,
    };
    const ports = await azureRotationPorts(reach, this.place, actor.gone);
    return rotate(ports, {
      maxAgeMs: undefined,
      adopt: false,
      revokeOld: false,
      restart: false,
      keepVersions: 3,
      drainMs: this.world.sites.drainMs + 1_000,
      timeoutMs: 15 * 60_000,
      ...wanted,
      vault: this.place.vault,
      secret: this.place.secret,
      tags: { env: "dev", repo: "kiln" },
      lifetimeDays: 90,
      by: `run-${++this.#runs}`,
      now: () => new Date(this.world.now()),
      clock: actor,
      signal: actor.gone,
      late: new AbortController().signal,
      tell: (message) => void this.told.push(message),
      onPhase: (phase, detail) => void this.told.push(`${phase} ${detail}`),
    });
  }

  /** The account's keys, by slot: whether each is taken by the model now. */
  keys(): Record<Slot, { value: string; live: boolean }> {
    const found = this.world.cloud.resources.get(
      `/subscriptions/${this.world.cloud.subscriptionId}${account}`,
    );
    if (found === undefined) throw new Error("the account is gone");
    const { key1, key2 } = hiddenOf(found).keys;
    const show = ({ value, validFrom }: typeof key1) => ({ value, live: validFrom <= this.world.now() });
    return { key1: show(key1), key2: show(key2) };
  }

  held(app: string): string[] {
    return this.world.sites.named(app).held(SETTING);
  }

  /** The versions of the secret, oldest first. */
  async versions(): Promise<
    { version: string; enabled: boolean; tags: Record<string, string>; value: string | undefined }[]
  > {
    const list = await this.#vault("GET", "/versions");
    const shown = list.value.map(async (each: { id: string; attributes: { enabled: boolean } }) => {
      const version = each.id.split("/").at(-1) ?? "";
      if (!each.attributes.enabled) return { version, enabled: false, tags: {}, value: undefined };
      const { value, tags = {} } = await this.#vault("GET", `/${version}`);
      return { version, enabled: true, tags, value };
    });
    return Promise.all(shown);
  }

  /** What is not as it should be once a rotation is over. */
  async unsettled({ keepVersions = 3 }: Wanted = {}): Promise<string[]> {
    // Processes that were replaced, one after the other, have gone by then.
    for (let swap = 0; swap < 3; swap++) this.world.until(this.world.now() + 10_000);
    const { value, tags, id } = await this.#vault("GET", "");
    const version = id.split("/").at(-1);
    const keys = this.keys();
    const slot = tags.slot as Slot;
    const references = await this.#references();
    const versions = await this.versions();
    const enabled = versions.filter((each) => each.enabled).length;
    const wrong = [
      tags.phase !== "drained" && `the journal says ${tags.phase}`,
      tags.revoke !== undefined && "a slot is still to be revoked",
      keys[slot]?.value !== value && `the secret does not hold the key of ${slot}`,
      keys[slot]?.live !== true && `the key of ${slot} is not live`,
      enabled > keepVersions && `${enabled} versions are enabled`,
      ...this.setting.apps.flatMap(({ name }, at) => [
        this.held(name).join() !== value && `${name} does not serve with the secret's key`,
        references[at] !== version && `${name} has version ${references[at]}, not ${version}`,
      ]),
      ...this.outages,
      ...this.#leaks(),
    ];
    return wrong.filter((each) => each !== false);
  }

  /** Keys that are in what people were told. */
  #leaks(): string[] {
    const text = this.told.join("\n");
    const keys = this.world.cloud.mint.all().filter(({ kind }) => /key|secret/.test(kind));
    return keys.filter(({ value }) => text.includes(value)).map(({ kind }) => `a ${kind} was told`);
  }

  async #references(): Promise<(string | undefined)[]> {
    return Promise.all(
      this.setting.apps.map(async ({ name }) => {
        const path = `${siteOf(name)}/config/configreferences/appsettings/${SETTING}`;
        return (await this.world.arm("GET", path)).properties.activeVersion;
      }),
    );
  }

  /** Whoever holds a key that the model refuses, and has not done so from the start. */
  #watch(): void {
    const live = Object.values(this.keys()).flatMap(({ value, live }) => (live ? [value] : []));
    for (const { name } of this.setting.apps) {
      const dead = this.held(name).find((key) => !live.includes(key));
      if (dead === undefined) continue;
      const shown = createHash("sha256").update(dead).digest("hex").slice(0, 6);
      const outage = `${name} held a dead key (${shown}) at ${new Date(this.world.now()).toISOString()}`;
      if (this.outages.length < 3) this.outages.push(outage);
    }
  }

  async #build(): Promise<void> {
    const { world, setting } = this;
    await world.arm("PUT", group, { location: "eastus" });
    await world.arm("PUT", account, {
      location: "eastus",
      kind: "OpenAI",
      sku: { name: "S0" },
      properties: { customSubDomainName: "oai-a" },
    });
    await world.arm("PUT", `${account}/deployments/gpt`, {
      sku: { name: "GlobalStandard", capacity: 500 },
      properties: { model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" } },
    });
    await world.arm("PUT", vault, {
      location: "eastus",
      properties: {
        tenantId: world.cloud.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
      },
    });
    await this.#grant(world.owner.objectId, roles.officer);
    const { slot, liveBefore = false, apps } = setting;
    const idle = slot === "key1" ? "key2" : "key1";
    const keys = this.keys();
    const before = slot === null ? (liveBefore ? keys.key2.value : "a value before") : keys[idle].value;
    await this.#write(before, slot === null ? "key2" : idle);
    for (const { behind, ...app } of apps) if (behind || slot === null) await this.#makeSite(app);
    await this.#write(slot === null ? "neither of the keys" : keys[slot].value, slot ?? "key1");
    for (const { behind, ...app } of apps) if (!behind && slot !== null) await this.#makeSite(app);
    if (setting.noLocalAuth) await world.arm("PATCH", account, { properties: { disableLocalAuth: true } });
    world.cloud.changeSettings({ timings: { keyPropagation: 300 } });
    world.sites.look();
    this.#saved = world.save();
    if (!setting.noLocalAuth && (slot !== null || liveBefore)) world.onServed = () => this.#watch();
  }

  async #makeSite({ name, made }: App): Promise<void> {
    const { world } = this;
    const plan = `${group}/providers/Microsoft.Web/serverfarms/plan`;
    await world.arm("PUT", plan, {
      location: "eastus",
      sku: { name: "B1" },
      properties: { reserved: true },
    });
    const site = await world.arm("PUT", siteOf(name), {
      location: "eastus",
      kind: "functionapp,linux",
      identity: { type: "SystemAssigned" },
      properties: { serverFarmId: `/subscriptions/${world.cloud.subscriptionId}${plan}` },
    });
    await this.#grant(site.identity.principalId, roles.reader);
    await world.arm("PUT", `${siteOf(name)}/config/appsettings`, {
      properties: {
        [SETTING]: `@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${SECRET})`,
        AZURE_OPENAI_ENDPOINT: this.place.endpoint,
        AZURE_OPENAI_DEPLOYMENT: "gpt",
      },
    });
    world.sites.look();
    // Whatever served before the settings were there goes.
    for (let swap = 0; swap < 3; swap++) world.until(world.now() + 10_000);
    if (!made) world.sites.foreign.add(name);
  }

  async #grant(principalId: string, role: string): Promise<void> {
    const id = crypto.randomUUID();
    await this.world.arm("PUT", `${vault}/providers/Microsoft.Authorization/roleAssignments/${id}`, {
      properties: {
        principalId,
        principalType: "ServicePrincipal",
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      },
    });
  }

  async #write(value: string, slot: Slot): Promise<void> {
    await this.#vault("PUT", "", { value, tags: { env: "dev", slot, phase: "drained" } });
    this.world.until(this.world.now() + 60_000);
  }

  async #vault(method: string, path: string, body?: unknown) {
    const url = `${vaultUri}secrets/${SECRET}${path}?api-version=7.6`;
    const answer = await this.world.ask(method, url, body);
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

function siteOf(name: string): string {
  return `${group}/providers/Microsoft.Web/sites/${name}`;
}
