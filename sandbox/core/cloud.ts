import { randomUUID } from "node:crypto";
import path from "node:path";
import { Clock } from "./clock.ts";
import { Faults } from "./faults.ts";
import { Mint } from "./minted.ts";
import { Operations } from "./operations.ts";
import { Principals } from "./principals.ts";
import { Rbac, type RoleAssignment } from "./rbac.ts";
import { Resources } from "./resources.ts";
import {
  defaultSettings,
  patchSettings,
  type Settings,
  type SettingsPatch,
  type Timings,
} from "./settings.ts";
import { Store } from "./store.ts";
import { Throttle } from "./throttle.ts";
import { Tokens } from "./tokens.ts";

/** Whose cloud it is. */
export interface CloudIdentity {
  readonly tenantId: string;
  readonly subscriptionId: string;
}

/** The whole state of the sandbox and its physics, without any wire: what every service works on. */
export interface Cloud extends CloudIdentity {
  readonly dataDir: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly mint: Mint;
  readonly principals: Principals;
  readonly tokens: Tokens;
  readonly rbac: Rbac;
  readonly resources: Resources;
  readonly operations: Operations;
  readonly throttle: Throttle;
  readonly faults: Faults;
  settings(): Settings;
  timings(): Timings;
  changeSettings(patch: SettingsPatch): Settings;
  close(): void;
}

/**
 * Opens the cloud that lives in `dataDir`, making it on first use.
 * @throws StoreHeldError when another sandbox process holds it.
 */
export function openCloud(dataDir: string, wall: () => number = Date.now): Cloud {
  const store = new Store(path.join(dataDir, "cloud.sqlite"));
  const saved = store.collection<CloudIdentity>("identity");
  let identity = saved.get("identity");
  if (identity === undefined) {
    identity = { tenantId: randomUUID(), subscriptionId: randomUUID() };
    saved.put("identity", identity);
  }
  const kept = store.collection<Settings>("settings");
  let settings = patchSettings(kept.get("settings") ?? defaultSettings, {});
  const timings = (): Timings => settings.timings;
  const clock = new Clock(store.collection("clock"), wall);
  const mint = new Mint(store.collection("minted"));
  const principals = new Principals(store.collection("principals"), mint);
  const resources = new Resources(store.collection("resources"));
  const rbac = new Rbac(
    store.collection<RoleAssignment>("role-assignments"),
    principals,
    clock,
    timings,
    identity.subscriptionId,
  );
  resources.onRemove(undefined, (resource) => rbac.dropBelow(resource.id));
  return {
    ...identity,
    dataDir,
    store,
    clock,
    mint,
    principals,
    tokens: new Tokens(store.collection("token-keys"), identity.tenantId),
    rbac,
    resources,
    operations: new Operations(store, clock),
    throttle: new Throttle(clock),
    faults: new Faults(store.collection("faults")),
    settings: () => settings,
    timings,
    changeSettings: (patch) => {
      const changed = patchSettings(settings, patch);
      kept.put("settings", changed);
      settings = changed;
      return settings;
    },
    close: () => store.close(),
  };
}
