import { randomBytes } from "node:crypto";
import { KilnError } from "../errors.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import type { SettingReference } from "../keys/ports.ts";
import type { Calls } from "./calls.ts";
import { judgeChat, judgeHealth, judgeReferences, type Proof, referencesTo } from "./judge.ts";
import type { Consumer } from "./ports.ts";
import type { RotationOptions } from "./types.ts";

interface Context {
  readonly calls: Calls;
  readonly options: Pick<RotationOptions, "vault" | "secret" | "restart">;
}

/** An app that can never follow is said before anything is changed. */
export async function requireReferences(
  { app, references }: Consumer,
  { calls, options }: Context,
): Promise<readonly SettingReference[]> {
  const { vault, secret } = options;
  const all = await calls.call(`Reading the references of ${app}`, () => references.list());
  const found = referencesTo(all, vault, secret);
  const hopeless = found.find(({ status }) => status === "InvalidSyntax" || status === "MSINotEnabled");
  if (found.length > 0 && hopeless === undefined) return found;
  const why =
    hopeless === undefined
      ? "None of its settings refers to the secret."
      : `Its setting ${hopeless.setting} cannot be resolved (${hopeless.status}).`;
  throw new KilnError({
    code: "ConsumerBroken",
    message: `${app} could not follow a rotation`,
    cause: `${why} It would go on without the new key.`,
    next: "Run `kiln up`, which puts the reference there, then run this again. Nothing was changed.",
  });
}

/** @returns the settings that have the new version */
export async function refresh(
  consumer: Consumer,
  version: string,
  { calls, options }: Context,
): Promise<string[]> {
  const { app, references } = consumer;
  const { vault, secret } = options;
  const fetchAgain = () => calls.call(`Refreshing ${app}`, () => references.refresh());
  await fetchAgain();
  let looks = 0;
  const resolved = await calls.until(`Resolving the new version in ${app}`, async () => {
    const found = referencesTo(await calls.once(() => references.list()), vault, secret);
    const judged = judgeReferences(found, version);
    // What failed is kept as long as what resolved: it has to be fetched again. Now and then, since it ends requests.
    if (!judged.done && ++looks % 8 === 0) await fetchAgain();
    return judged;
  });
  if (options.restart) await calls.call(`Restarting ${app}`, () => references.restart());
  return resolved.map(({ setting }) => setting);
}

export async function prove(consumer: Consumer, key: KeyMaterial, { calls }: Context): Promise<Proof> {
  const { app, made } = consumer;
  const proof = await calls.until(`Proving ${app}`, async () => {
    const challenge = randomBytes(24).toString("base64url");
    return judgeHealth(await calls.once(() => consumer.health(challenge)), key, challenge, made);
  });
  await calls.until(`Calling the model through ${app}`, async () =>
    judgeChat(await calls.once(() => consumer.chat()), made),
  );
  return proof;
}
