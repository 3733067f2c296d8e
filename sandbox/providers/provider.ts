import type { PropertyChange } from "./diff.ts";
import type { ConstructRequest } from "./monitor.ts";
import type { EncodedValue, ValueMap } from "./values.ts";

/** What an engine that attached is to the provider: one connection, one provider instance of one run. */
export interface Session {
  /** Provider configuration, by variable name without the package. */
  readonly config: Readonly<Record<string, string>>;
  /** Aborts when the engine cancels, hangs up, or the server closes. */
  readonly signal: AbortSignal;
  /**
   * Shows a line to whoever runs the engine, under the resource; lines come in the order of the calls. Never rejects.
   * @param ephemeral only while the resource is worked on, in place of the one before
   */
  log(
    urn: string,
    severity: "debug" | "info" | "warning" | "error",
    message: string,
    ephemeral?: boolean,
  ): Promise<void>;
}

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckRequest {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly olds: ValueMap;
  readonly news: ValueMap;
  readonly randomSeed: Uint8Array;
  readonly autonaming?: { readonly mode: "propose" | "enforce" | "disable"; readonly proposed: string };
}

export interface Difference {
  readonly changes: readonly PropertyChange[];
  readonly deleteBeforeReplace: boolean;
}

/** Names of provider configuration: those that differ, and those of them for which all its resources are made anew. */
export interface ConfigDifference {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
}

interface ResourceRequest {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

export interface DiffRequest extends ResourceRequest {
  readonly oldInputs: ValueMap;
  readonly oldOutputs: ValueMap;
  readonly inputs: ValueMap;
  /** Paths of properties whose changes the program ignores: the inputs have what was there before. @default none */
  readonly ignoreChanges?: readonly string[];
}

interface Timed {
  /** Seconds; 0 means the provider's own patience. */
  readonly timeout: number;
}

export interface CreateRequest extends ResourceRequest, Timed {
  readonly inputs: ValueMap;
  readonly preview: boolean;
}

export interface UpdateRequest extends ResourceRequest, Timed {
  readonly id: string;
  readonly oldInputs: ValueMap;
  readonly oldOutputs: ValueMap;
  readonly inputs: ValueMap;
  readonly preview: boolean;
  /** As of a {@link DiffRequest}. */
  readonly ignoreChanges?: readonly string[];
}

export interface ReadRequest extends ResourceRequest {
  readonly id: string;
  readonly outputs: ValueMap;
  /** Undefined for an import. */
  readonly inputs: ValueMap | undefined;
}

export interface DeleteRequest extends ResourceRequest, Timed {
  readonly id: string;
  readonly inputs: ValueMap;
  readonly outputs: ValueMap;
}

/** A provider without its wire. Whatever it throws becomes the resource's error, by its message. */
export interface Provider {
  /** `azure-native` */
  readonly name: string;
  /** Of the plugin that it stands for. */
  readonly version: string;
  /** What is wrong with the configuration of a provider. @default nothing */
  checkConfig?(urn: string, news: ValueMap): CheckFailure[];
  /** What a change of the configuration means. @default any is one in place */
  diffConfig?(olds: ValueMap, news: ValueMap): ConfigDifference;
  /** @throws when the configuration cannot be served. */
  configure(config: Readonly<Record<string, string>>): void;
  check(request: CheckRequest, session: Session): Promise<{ inputs: ValueMap; failures: CheckFailure[] }>;
  diff(request: DiffRequest, session: Session): Difference | Promise<Difference>;
  create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }>;
  /** Undefined when the resource is gone. */
  read(
    request: ReadRequest,
    session: Session,
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined>;
  update(request: UpdateRequest, session: Session): Promise<ValueMap>;
  delete(request: DeleteRequest, session: Session): Promise<void>;
  invoke(
    token: string,
    args: ValueMap,
    session: Session,
  ): Promise<{ result: ValueMap; failures: CheckFailure[] }>;
  /** Builds a component and what it is made of. @default there are none */
  construct?(
    request: ConstructRequest,
    session: Session,
  ): Promise<{ urn: string; state: Record<string, EncodedValue> }>;
}

/** The resource exists, but not as it should: state keeps it, and the run fails with the reasons. */
export class PartialFailure extends Error {
  readonly id: string;
  readonly outputs: ValueMap;
  readonly inputs: ValueMap;
  /** What the engine shows and keeps, a line each. */
  readonly reasons: readonly string[];

  /** @param reasons what is shown in place of the message as a whole */
  constructor(
    message: string,
    made: { id: string; outputs: ValueMap; inputs: ValueMap },
    cause: unknown,
    reasons: readonly string[] = [message],
  ) {
    super(message, { cause });
    this.name = "PartialFailure";
    this.id = made.id;
    this.outputs = made.outputs;
    this.inputs = made.inputs;
    this.reasons = reasons;
  }
}
