import type { CheckFailure } from "../provider.ts";
import type { ValueMap } from "../values.ts";
import type { GitHubClient } from "./client.ts";

/** One resource type of the package: what it takes, and the calls it stands for. Values are without secret marks. */
export interface GitHubType {
  /** `repository:Repository` of `github:index/repository:Repository`. */
  readonly token: string;
  readonly inputs: readonly string[];
  readonly required?: readonly string[];
  /** What an input is that was not given. */
  readonly defaults?: ValueMap;
  /** Inputs that stay as they are when they are not given any more. */
  readonly kept?: readonly string[];
  /** Of those, the ones that follow from others or from time: an import leaves them out. */
  readonly derived?: readonly string[];
  /** Inputs of which a change needs a new resource. */
  readonly replaceOn?: readonly string[];
  /** Inputs that cannot come or go on a resource that is there. */
  readonly replaceOnSwitch?: readonly string[];
  /** Whether `name` is made up where it is not given. */
  readonly autoNamed?: boolean;
  /** Outputs that a preview of a create cannot know. */
  readonly computed: readonly string[];
  /** Of those, what also changes with each update. */
  readonly volatile?: readonly string[];
  /** Inputs that are secret whatever the program says. */
  readonly secret?: readonly string[];
  /** Inputs that GitHub never shows. */
  readonly unread?: readonly string[];
  /** Lists without order. */
  readonly sets?: readonly string[];
  /** What is wrong with inputs beyond what is missing or unknown. */
  problems?(inputs: ValueMap): CheckFailure[];
  /** What a resource's id says of it; undefined when it is none. */
  identify(id: string): ValueMap | undefined;
  /** @returns the id */
  create(api: GitHubClient, inputs: ValueMap): Promise<string>;
  /** What follows once it exists. A failure here leaves a resource that is not as it should be. */
  complete?(api: GitHubClient, inputs: ValueMap): Promise<void>;
  /**
   * What it looks like now; undefined when it is gone.
   * @param state what is known of it: what its id says, and its outputs of before
   */
  read(api: GitHubClient, state: ValueMap): Promise<ValueMap | undefined>;
  update(api: GitHubClient, inputs: ValueMap, state: ValueMap): Promise<void>;
  delete(api: GitHubClient, state: ValueMap): Promise<void>;
  /** Whether it changed behind the state's back in a way that only its outputs show; the output that says so. */
  drifted?(outputs: ValueMap): string | undefined;
}

/** The parts of an id, which colons part; a colon inside of one is written `??`. */
export function idParts(id: string): string[] {
  return id.split(":").map((part) => part.replaceAll("??", ":"));
}

export function idOf(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(":", "??")).join(":");
}

export function textOf(map: ValueMap, name: string): string {
  const value = map[name];
  return typeof value === "string" ? value : "";
}

export function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Leaves out what is undefined or null. */
export function present(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined && value !== null));
}
