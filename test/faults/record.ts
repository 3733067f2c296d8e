import { decodeMap, type EncodedValue, encodeMap, type ValueMap } from "../../sandbox/providers/values.ts";
import type { ExportedState, StateResource } from "../../scripts/lib/state.ts";

/** The mark of a secret, as in `@pulumi/pulumi/runtime/rpc.js`. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** A resource as the engine has it on record. */
export interface Recorded extends StateResource {
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
  readonly dependencies: readonly string[];
  /** Replaced by another of the same URN, and still to be deleted. */
  readonly delete?: boolean;
}

/** What a backend keeps of one stack: the engine's deployment, written before and after each operation. */
export interface Deployment {
  resources: Recorded[];
  pending_operations: { readonly resource: Recorded; readonly type: string }[];
}

/** What an import leaves out is empty. */
function whole(each: Recorded): Recorded {
  return {
    ...each,
    inputs: each.inputs ?? {},
    outputs: each.outputs ?? {},
    dependencies: each.dependencies ?? [],
  };
}

/** The state backend of all environments: what outlives every process. */
export class Backend {
  readonly stacks = new Map<string, Deployment>();
  readonly histories = new Map<string, { kind: string; result: string }[]>();
  readonly pins = new Map<string, string>();
  readonly #sealed = new Map<string, EncodedValue>();

  exported(environment: string): ExportedState {
    const { resources, pending_operations } = structuredClone(this.#stack(environment));
    return { version: 3, deployment: { resources, pending_operations } };
  }

  imported(environment: string, { deployment }: ExportedState): void {
    const { resources, pending_operations } = structuredClone(deployment) as unknown as Partial<Deployment>;
    this.stacks.set(environment, {
      resources: (resources ?? []).map(whole),
      pending_operations: (pending_operations ?? []).map(({ resource, type }) => ({
        resource: whole(resource),
        type,
      })),
    });
  }

  /** As on record: what is secret is not readable there. */
  seal(map: ValueMap): Record<string, unknown> {
    return this.#walk(encodeMap(map), (secret) => {
      const text = JSON.stringify(secret.value);
      const found = [...this.#sealed].find(([, value]) => JSON.stringify(value) === text)?.[0];
      const ciphertext = found ?? `v1:${this.#sealed.size}`;
      this.#sealed.set(ciphertext, secret.value ?? null);
      return { [SIGNATURE]: secret[SIGNATURE] ?? null, ciphertext };
    });
  }

  unseal(recorded: Record<string, unknown>): ValueMap {
    const opened = this.#walk(recorded as Record<string, EncodedValue>, (secret) => ({
      [SIGNATURE]: secret[SIGNATURE] ?? null,
      value: this.#sealed.get(String(secret.ciphertext)) ?? null,
    }));
    return decodeMap(opened);
  }

  /** Backends and their secrets as they are now, to come back to. */
  save(): () => void {
    const stacks = structuredClone([...this.stacks]);
    const histories = structuredClone([...this.histories]);
    return () => {
      this.stacks.clear();
      this.histories.clear();
      this.pins.clear();
      for (const [name, stack] of structuredClone(stacks)) this.stacks.set(name, stack);
      for (const [name, history] of structuredClone(histories)) this.histories.set(name, history);
    };
  }

  #stack(environment: string): Deployment {
    const found = this.stacks.get(environment);
    if (found === undefined) throw new Error(`no stack named '${environment}' found`);
    return found;
  }

  #walk(
    map: Record<string, EncodedValue>,
    change: (secret: Record<string, EncodedValue>) => Record<string, EncodedValue>,
  ): Record<string, EncodedValue> {
    const walk = (value: EncodedValue): EncodedValue => {
      if (Array.isArray(value)) return value.map(walk);
      if (typeof value !== "object" || value === null) return value;
      if (SIGNATURE in value) return change(value);
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]));
    };
    return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, walk(value)]));
  }
}
