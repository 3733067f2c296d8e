/** What a rule sees and says. Rules are pure: `(resource, context) => Violation[]`; pack.ts joins them to the engine. */

import { remembered } from "./remembered.ts";

/** Stands for a value that is only known once something is deployed. A rule lets it pass: `up` judges it when it is known. */
export const UNKNOWN: unique symbol = Symbol("unknown until deployed");

/** A property value as a rule sees it: plain data, Pulumi secrets unwrapped. */
export type Value =
  | null
  | boolean
  | number
  | string
  | typeof UNKNOWN
  | readonly Value[]
  | { readonly [key: string]: Value };

/** An object of properties. */
export type Props = { readonly [key: string]: Value };

/** One resource: its inputs before it is touched, or its outputs when a whole stack is judged. */
export interface PolicyInput {
  readonly urn: string;
  /** The type token, for example `azure-native:keyvault:Vault`. */
  readonly type: string;
  readonly name: string;
  readonly props: Props;
}

/** A resource of a finished stack, with the URNs of what it depends on. */
export interface StackInput extends PolicyInput {
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
}

/** A dated permission to break one rule at one property of one resource. */
export interface Exemption {
  /** Name of the rule that it lifts. */
  readonly rule: string;
  /** Type as `module:Resource` for Azure (any API version), the full token for other packages. */
  readonly type: string;
  /** The resource's name in the program; a pattern must match the whole name. */
  readonly name: string | RegExp;
  /** Path of the property, exactly as a violation names it. */
  readonly property: string;
  /** Environments in which it holds; `pr-*` stands for all of that kind. */
  readonly environments: readonly string[];
  /** Why the rule does not fit here, for the person who renews it. */
  readonly reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`, UTC. At most {@link LONGEST_EXEMPTION_DAYS} ahead. */
  readonly expires: string;
}

/** An exemption dated further ahead than this (two years) is a rule change in disguise. */
export const LONGEST_EXEMPTION_DAYS = 731;

/** What a rule may know beside the resource. */
export interface PolicyContext {
  /** The stack, which is the environment: `dev`, `staging`, `prod`, `pr-<number>`. */
  readonly stack: string;
  /** Today as `YYYY-MM-DD`, UTC. */
  readonly today: string;
  readonly exemptions: readonly Exemption[];
}

/** What is wrong, and where. A message never repeats the value that it complains about. */
export interface Violation {
  /** Path of the property, for example `siteConfig.minTlsVersion`. */
  readonly property: string;
  /** What is wrong and what to do, without the resource and the property, which the pack puts in front. */
  readonly message: string;
}

/** A violation found in a whole stack names its resource too. */
export interface StackViolation extends Violation {
  readonly resource: StackInput;
}

/** One rule of the pack. */
export interface Rule {
  /** Kebab-case, unique in the pack; what an exemption names. */
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly description: string;
  readonly severity: "medium" | "high" | "critical";
  /** Azure types (`module:Resource`) that `check` concerns; absent when it concerns every resource of every package. */
  readonly types?: readonly string[];
  /** Package, the first part of the type token, whose resources the rule concerns, in stacks too; absent for all of them. */
  readonly package?: string;
  /** Judges one resource by its inputs, before anything is made. */
  readonly check?: (resource: PolicyInput, context: PolicyContext) => Violation[];
  /** Judges a whole stack by its outputs, after a preview or an update. */
  readonly checkStack?: (resources: readonly StackInput[], context: PolicyContext) => StackViolation[];
}

/** Whether a stack is the environment of a pull request, made to be removed without a trace. */
export const isEphemeral = (stack: string): boolean => /^pr-[1-9][0-9]*$/.test(stack);

/** The stack that a resource belongs to, from its URN (`urn:pulumi:<stack>::<project>::<type>::<name>`). */
export function stackOf(urn: string): string {
  const stack = /^urn:pulumi:(.+?)::/.exec(urn)?.[1];
  if (stack === undefined) throw new Error("a resource came without a readable URN");
  return stack;
}

/**
 * The Azure type behind a token as `module:Resource`, whatever API version the token pins; undefined outside Azure.
 * azure-native writes a version as `azure-native_web_v20240401:web:WebApp` or `azure-native:web/v20240401:WebApp`.
 */
export const azureType = remembered((type: string): string | undefined => {
  const native = /^azure-native(?:_[a-z0-9]+_v\w+)?:([a-z0-9]+)(?:\/v\w+)?:(\w+)$/i.exec(type);
  if (native) return `${native[1]}:${native[2]}`;
  return /^azure(?:-native\w*)?:/.test(type) ? type : undefined;
});

/** Whether a value is a map: no list, nothing unknown, not null. */
export const isObject = (value: Value | undefined): value is Props =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The value at a dotted path. UNKNOWN as soon as any step on the way is unknown, so that a rule never mistakes
 * "not known yet" for "not set".
 */
export function at(props: Props, path: string): Value | undefined {
  let value: Value | undefined = props;
  for (const key of path.split(".")) {
    if (value === UNKNOWN) return UNKNOWN;
    value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** An object at a path, or an empty one; use {@link at} where unknown and absent differ. */
export function objectAt(props: Props, path: string): Props {
  const value = at(props, path);
  return isObject(value) ? value : {};
}

/** Whether two settings are the same to Azure, which ignores the case of its enumerations. */
export const same = (value: Value | undefined, wanted: string): boolean =>
  typeof value === "string" && value.toLowerCase() === wanted.toLowerCase();

/** Whether a property is set at all, to something known or not. */
export const isPresent = (value: Value | undefined): boolean =>
  value !== undefined && value !== null && value !== "";

/** A violation at a property that must hold one of some settings. Unknown values pass until they are known. */
export function mustBe(
  props: Props,
  property: string,
  holds: (value: Exclude<Value, typeof UNKNOWN> | undefined) => boolean,
  message: string,
): Violation[] {
  const value = at(props, property);
  return value === UNKNOWN || holds(value) ? [] : [{ property, message }];
}
