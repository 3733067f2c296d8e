import { randomBytes } from "node:crypto";
import { asKilnError, cloudAnswer } from "../lib/keys/cloud-answer.ts";
import { type Attempt, persist } from "../lib/keys/patience.ts";
import { main, type Step } from "./lib/run.ts";

/** What the secret is, for people and for policies that ask for a content type. */
const CONTENT_TYPE = "text/plain; kind=password";

/** Makes a random password in a vault where there is none of that name, and prints `{"secretUri"}`. */
export const makeSecret: Step = {
  summary: "Makes a random password in a vault; one that is there already is left alone.",
  flags: {
    vault: { value: "https://NAME.vault.azure.net/" },
    secret: { value: "NAME" },
    tag: { value: "NAME=VALUE", many: true, optional: true },
    "wait-minutes": { value: "MINUTES", optional: true },
  },
  async run(flags, context) {
    const { SecretClient } = await import("@azure/keyvault-secrets");
    const vault = flags.one("vault");
    const name = flags.one("secret");
    const tags = flags.pairs("tag");
    const client = new SecretClient(vault, await context.credential(), context.clientOptions);
    const patience = context.patience(flags.whole("wait-minutes", 30, 0, 120));
    await persist("Keeping a password in the vault", patience, async (): Promise<Attempt<undefined>> => {
      try {
        if (await isThere(() => client.getSecret(name))) return { done: true, value: undefined };
        // 32 bytes, in letters and digits that need no quoting anywhere.
        const password = randomBytes(32).toString("base64url");
        await client.setSecret(name, password, { contentType: CONTENT_TYPE, tags });
        return { done: true, value: undefined };
      } catch (error) {
        return worthWaiting(error);
      }
    });
    return { secretUri: new URL(`secrets/${name}`, vault).href };
  },
};

async function isThere(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (cloudAnswer(error)?.status === 404) return false;
    throw error;
  }
}

/** A fresh grant takes minutes to take effect, and a deleted namesake may be on its way back. */
function worthWaiting(error: unknown): Attempt<undefined> {
  const answer = cloudAnswer(error);
  const { status, retryAfterMs } = answer ?? {};
  if (status === 403)
    return {
      done: false,
      code: "Forbidden",
      reason: "the grant on the vault does not work yet",
      retryAfterMs,
    };
  if (status === 409)
    return {
      done: false,
      code: "Conflict",
      reason: "a deleted secret of that name is in the way",
      retryAfterMs,
    };
  throw asKilnError(
    error,
    "The password could not be kept in the vault",
    "Mend the cause, then run it again.",
  );
}

if (import.meta.main) await main("make-secret", makeSecret);
