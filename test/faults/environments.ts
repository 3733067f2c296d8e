import path from "node:path";
import { runtime } from "@pulumi/pulumi";
import { hiddenOf } from "../../sandbox/cognitive/state.ts";
import type { RoleAssignment } from "../../sandbox/core/rbac.ts";
import { cloudClients } from "../../scripts/lib/clients.ts";
import { deploy } from "../../scripts/lib/deploy.ts";
import { azureRotationPorts, keyPlace } from "../../scripts/lib/rotation/azure.ts";
import { rotate } from "../../scripts/lib/rotation/rotate.ts";
import type { Session, VerbContext } from "../../scripts/lib/session.ts";
import { expectedId, parseState } from "../../scripts/lib/state.ts";
import { cloudMade, tearDown } from "../../scripts/lib/teardown.ts";
import {
  loadConfig,
  readConfigFiles,
  requireEnvironment,
  resolveEnvironment,
  STEERING_VARIABLES,
} from "../../stacks/config.ts";
import { Actor } from "../harness/world/actor.ts";
import { World } from "../harness/world/world.ts";
import { Backend } from "./record.ts";
import { stackOf } from "./stack.ts";
import { waitForReal, waitIn } from "./virtual-time.ts";

const project = path.resolve(import.meta.dirname, "../..");
const SETTING = "AZURE_OPENAI_API_KEY";

export const ENVIRONMENTS = ["dev", "pr-1", "pr-12"] as const;
export type Name = (typeof ENVIRONMENTS)[number];
export type Verb = "up" | "rotate-key" | "down";

/** Three environments of one subscription, side by side, worked on by Kiln's own code, and what must hold of them. */
export class Environments {
  readonly world = new World();
  readonly backend = new Backend();
  /** What was wrong at some instant, in words. */
  readonly wrong: string[] = [];
  /** Everything that was said. */
  said: string[] = [];
  #runs = 0;
  #leaving: Name | undefined;

  constructor() {
    waitIn((ms) => this.world.sleep(ms));
    this.world.cloud.changeSettings({ profile: "quick", throttling: false });
    this.world.onServed = () => this.#watch();
  }

  /** This moment, to come back to. */
  save(): () => void {
    const world = this.world.save();
    const backend = this.backend.save();
    return () => {
      this.world.restore(world);
      backend();
      this.wrong.length = 0;
      this.said = [];
    };
  }

  async close(): Promise<void> {
    // Programs that were killed have registered what nobody waits for any more.
    await runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) });
    waitForReal();
    await this.world.close();
  }

  /** Runs a verb as a process. @throws KilnError when it fails, Killed when the process was */
  async run(
    verb: Verb,
    name: Name,
    actor = new Actor(this.world),
    wanted = { revokeOld: false, restart: false },
  ): Promise<object> {
    const session = this.#session(name, actor);
    const context = this.#context(actor);
    const handle = stackOf({
      world: this.world,
      actor,
      backend: this.backend,
      environment: name,
      config: this.#config(name),
      say: (line) => void this.said.push(line),
    });
    for (const variable of Object.values(STEERING_VARIABLES)) delete process.env[variable];
    this.#leaving = verb === "down" ? name : undefined;
    try {
      if (verb === "up") {
        if (!(await handle.read())) await handle.create();
        const { record, outputs } = await deploy(context, session, handle);
        return { changes: record.changes, outputs };
      }
      const there = await handle.read();
      if (verb === "down") return await tearDown(context, session, there ? handle : undefined);
      const place = keyPlace(handle.state, session.resolved.functionApp);
      if (place === undefined) return { outcome: "not up" };
      const late = new AbortController();
      const ports = await azureRotationPorts(session.target, place, actor.gone);
      return await rotate(ports, {
        maxAgeMs: undefined,
        adopt: false,
        ...wanted,
        drainMs: 3_000,
        timeoutMs: 15 * 60_000,
        vault: place.vault,
        secret: place.secret,
        tags: session.resolved.tags,
        lifetimeDays: session.config.foundry.secretLifetimeDays,
        keepVersions: session.config.foundry.secretVersions,
        by: `run-${++this.#runs}`,
        now: session.target.now,
        clock: actor,
        signal: actor.gone,
        late: late.signal,
        tell: (message) => void this.said.push(message),
        onPhase: (phase, detail) => void this.said.push(`${phase} ${detail}`),
      });
    } catch (error) {
      if (actor.dead) throw actor.gone.reason;
      this.said.push(JSON.stringify(error), String(error));
      throw error;
    } finally {
      if (!actor.dead) this.#leaving = undefined;
    }
  }

  /**
   * What of an environment is not on record though it is there, and the other way round; and secrets where none may be.
   * @param leaving whether it is being taken down
   */
  mismatches(name: Name, leaving: boolean): string[] {
    const record = this.backend.stacks.get(name);
    const state = parseState(JSON.stringify({ deployment: record ?? null }));
    const { subscriptionId } = this.world.cloud;
    const { ids } = resolvedOf(name, subscriptionId);
    const known = new Map(
      state.resources.flatMap(({ id, urn }) =>
        id?.startsWith("/subscriptions/") ? [[normal(id), urn] as const] : [],
      ),
    );
    const begun = new Map(
      state.pending.map(({ resource, type }) => [normal(expectedId(resource, subscriptionId) ?? ""), type]),
    );
    const there = this.#live(ids.resourceGroup);
    const orphans = [...there].filter((id) => !known.has(id) && !begun.has(id));
    // What a teardown that did not come to its end has deleted may be on record still: the next run finds out.
    const missing = leaving
      ? []
      : [...known].filter(([id]) => !there.has(id) && begun.get(id) !== "deleting" && !/\/config\//.test(id));
    return [
      ...orphans.map((id) => `${name}: ${id} is there, and on no record`),
      ...missing.map(([id]) => `${name}: ${id} is on record, and not there`),
      ...this.#leaks(name),
    ];
  }

  /**
   * Everything that there is of an environment, as it is: what must not change while others are worked on. Undefined while the
   * cloud itself is still at work on it, after a run that was killed.
   */
  picture(name: Name): string | undefined {
    const { cloud } = this.world;
    const { ids } = resolvedOf(name, cloud.subscriptionId);
    const group = normal(ids.resourceGroup);
    const busy = cloud.operations.pending().some(({ target }) => `${target}/`.startsWith(`${group}/`));
    if (busy) return undefined;
    const resources = [cloud.resources.get(ids.resourceGroup), ...cloud.resources.under(ids.resourceGroup)];
    return JSON.stringify([resources, this.backend.stacks.get(name)]);
  }

  /** What is left of an environment that is gone. */
  remains(name: Name): string[] {
    const { ids } = resolvedOf(name, this.world.cloud.subscriptionId);
    const live = [...this.#live(ids.resourceGroup)].map((id) => `${name}: ${id} is still there`);
    return this.backend.stacks.has(name) ? [...live, `${name}: is still on record`] : live;
  }

  #live(group: string): Set<string> {
    const { resources, store } = this.world.cloud;
    const self = resources.get(group);
    const below = resources.under(group).filter(({ type }) => !cloudMade.test(type));
    const grants = store.collection<RoleAssignment>("role-assignments").values();
    const ids = [...(self === undefined ? [] : [self.id]), ...below.map(({ id }) => id)];
    const granted = grants
      .map(({ scope, name }) => `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`)
      .filter((id) => normal(id).startsWith(`${normal(group)}/`));
    return new Set([...ids, ...granted].map(normal));
  }

  #leaks(name: Name): string[] {
    const text = JSON.stringify([this.backend.stacks.get(name), this.said]);
    const kinds = this.world.cloud.mint.all().filter(({ value }) => text.includes(value));
    return kinds.map(({ kind, owner }) => `${name}: a ${kind} of ${owner} is in the record or was said`);
  }

  /** Whoever serves with a key serves with one that is live, unless it is being taken down. */
  #watch(): void {
    const { cloud } = this.world;
    for (const name of ENVIRONMENTS) {
      if (name === this.#leaving) continue;
      const { names, ids } = resolvedOf(name, cloud.subscriptionId);
      const account = cloud.resources.get(ids.openaiAccount);
      if (account === undefined) continue;
      const keys = Object.values(hiddenOf(account).keys).flatMap(({ value, validFrom }) =>
        validFrom <= cloud.clock.now() ? [value] : [],
      );
      for (const held of this.world.sites.named(names.functionApp).held(SETTING)) {
        if (held.startsWith("@Microsoft") || keys.includes(held)) continue;
        if (this.wrong.length < 3) {
          this.wrong.push(`${name}: its app held a dead key at ${cloud.clock.iso()}`);
        }
      }
    }
  }

  #config(name: Name): Record<string, string> {
    const values = configured(name);
    const pinned = this.backend.pins.get(name);
    const all = { ...values, ...(pinned === undefined ? {} : { pinnedLocation: pinned }) };
    return Object.fromEntries(
      Object.entries(all).map(([key, value]) => [
        `kiln:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
  }

  #session(name: Name, actor: Actor): Session {
    const { cloud, credential } = this.world;
    const config = loadConfig(project, name, {});
    const resolved = resolveEnvironment(config, cloud.subscriptionId);
    const { env, repo, service } = resolved.tags;
    const target = {
      name: "sandbox",
      subscriptionId: cloud.subscriptionId,
      tenantId: cloud.tenantId,
      credential,
      clientOptions: actor.clientOptions,
      engineEnv: {},
      ownBackend: true,
      now: () => new Date(this.world.now()),
    } as const;
    return {
      paths: { project, policies: "" },
      config,
      wantedLocation: undefined,
      engine: {},
      target,
      resolved,
      clients: cloudClients(target),
      owner: {
        accountName: resolved.names.openaiAccount,
        vaultName: resolved.names.vault,
        tags: { env, repo, service },
      },
    } as unknown as Session;
  }

  #context(actor: Actor): VerbContext {
    const say = (line = "") => void this.said.push(line);
    return {
      env: {},
      out: { json: false, live: false, say, warn: say, document: () => undefined },
      stdout: process.stdout,
      signal: actor.gone,
    } as unknown as VerbContext;
  }
}

const configuredCache = new Map<Name, Readonly<Record<string, unknown>>>();

function configured(name: Name): Readonly<Record<string, unknown>> {
  const found = configuredCache.get(name) ?? readConfigFiles(project, requireEnvironment(name)).values;
  configuredCache.set(name, found);
  return found;
}

const resolvedCache = new Map<string, ReturnType<typeof resolveEnvironment>>();

function resolvedOf(name: Name, subscriptionId: string) {
  const key = `${subscriptionId} ${name}`;
  const found = resolvedCache.get(key) ?? resolveEnvironment(loadConfig(project, name, {}), subscriptionId);
  resolvedCache.set(key, found);
  return found;
}

function normal(id: string): string {
  return id.toLowerCase();
}
