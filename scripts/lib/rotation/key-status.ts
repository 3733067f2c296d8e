import { cloudAnswer } from "../keys/cloud-answer.ts";
import type { Phase, SecretVersionProperties, SettingReference, Slot } from "../keys/ports.ts";
import { readJournal } from "./journal.ts";
import { referencesTo } from "./judge.ts";
import type { RotationPorts } from "./ports.ts";

/** What can be told of an environment's key without having it in hand. */
export interface KeyStatus {
  readonly secret: string;
  /** Version of the secret in use, and when it was written. */
  readonly version: string;
  readonly createdOn: string;
  readonly ageMs: number;
  readonly expiresOn: string | undefined;
  readonly slot: Slot | undefined;
  /** `drained` when no rotation is under way. */
  readonly phase: Phase;
  readonly rotation: string | undefined;
  readonly enabledVersions: number;
  readonly consumers: readonly ConsumerStatus[];
}

export interface ConsumerStatus {
  readonly app: string;
  readonly setting: string;
  /** Azure's word for whether it resolved the reference. */
  readonly status: string;
  /** Version of the secret it has. */
  readonly version: string | undefined;
}

/** Puts together what the vault and the apps say. Undefined when there is no version that could be read. Pure. */
export function describeKey(
  place: { readonly secretUri: string; readonly vault: string; readonly secret: string },
  versions: readonly SecretVersionProperties[],
  apps: readonly { readonly app: string; readonly references: readonly SettingReference[] }[],
  now: Date,
): KeyStatus | undefined {
  const enabled = versions.filter((each) => each.enabled);
  const [current] = enabled;
  if (current === undefined) return undefined;
  const { phase, slot, rotation } = readJournal(current.tags);
  return {
    secret: place.secretUri,
    version: current.version,
    createdOn: current.createdOn.toISOString(),
    ageMs: Math.max(0, now.getTime() - current.createdOn.getTime()),
    expiresOn: current.expiresOn?.toISOString(),
    slot,
    phase,
    rotation,
    enabledVersions: enabled.length,
    consumers: apps.flatMap(({ app, references }) =>
      referencesTo(references, place.vault, place.secret).map(({ setting, status, activeVersion }) => ({
        app,
        setting,
        status,
        version: activeVersion,
      })),
    ),
  };
}

/** Asks the vault and the apps; the key itself is not read. */
export async function keyStatus(
  { secret, consumers }: Pick<RotationPorts, "secret" | "consumers">,
  place: { readonly vault: string; readonly secret: string },
  now: Date,
): Promise<KeyStatus | undefined> {
  const [versions, apps] = await Promise.all([
    secret.versions(),
    Promise.all(
      consumers.map(async ({ app, references }) => ({
        app,
        // An app that is gone refers to nothing; the list of resources says that it is missing.
        references: await references.list().catch((error: unknown) => {
          if (cloudAnswer(error)?.status === 404) return [];
          throw error;
        }),
      })),
    ),
  ]);
  return describeKey({ secretUri: secret.uri, ...place }, versions, apps, now);
}
