import {
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationArgs,
  type StackValidationPolicy,
  UnknownValueError,
} from "@pulumi/policy";
import { concerns, crashed, judge, judgeStack, label } from "./judge.ts";
import {
  type Exemption,
  type PolicyContext,
  type Props,
  type Rule,
  type StackInput,
  stackOf,
  UNKNOWN,
  type Value,
} from "./model.ts";

type Policy = ResourceValidationPolicy | StackValidationPolicy;

/**
 * The rules as the engine takes them, all mandatory. A rule that judges both resources and stacks becomes one policy that
 * does both, so that its name stays one.
 *
 * @param today gives the day, `YYYY-MM-DD` UTC, that exemptions are held against; asked at every judgement.
 */
export function policiesOf(
  rules: readonly Rule[],
  exemptions: readonly Exemption[],
  today: () => string,
): Policy[] {
  return rules.map((rule) => {
    const context = (urn: string): PolicyContext => ({ stack: stackOf(urn), today: today(), exemptions });
    const policy = {
      name: rule.name,
      description: rule.description,
      severity: rule.severity,
      enforcementLevel: "mandatory" as const,
    };
    const validateResource = async (
      args: ResourceValidationArgs,
      report: (message: string) => void,
    ): Promise<void> => {
      if (!concerns(rule, args.type)) return;
      const { urn, type, name } = args;
      try {
        const props = await plainProps(args.props);
        for (const found of judge(rule, { urn, type, name, props }, context(urn))) report(found.message);
      } catch (error) {
        report(crashed(rule, label({ urn, type, name, props: {} }), error).message);
      }
    };
    const validateStack = async (
      args: StackValidationArgs,
      report: (message: string, urn?: string) => void,
    ): Promise<void> => {
      const first = args.resources[0];
      if (first === undefined) return;
      try {
        const concerned = args.resources.filter(
          ({ type }) => rule.package === undefined || concerns(rule, type),
        );
        const resources = await Promise.all(concerned.map(stackInput));
        for (const found of judgeStack(rule, resources, context(first.urn))) report(found.message, found.urn);
      } catch (error) {
        report(crashed(rule, "the stack", error).message);
      }
    };
    return {
      ...policy,
      ...(rule.check && { validateResource }),
      ...(rule.checkStack && { validateStack }),
    } as Policy; // one object of both kinds: the SDK serves it as both, its types know only one at a time
  });
}

async function stackInput(resource: StackValidationArgs["resources"][number]): Promise<StackInput> {
  return {
    urn: resource.urn,
    type: resource.type,
    name: resource.name,
    props: await plainProps(resource.props),
    dependencies: resource.dependencies.map((each) => each.urn),
    propertyDependencies: Object.fromEntries(
      Object.entries(resource.propertyDependencies).map(([key, on]) => [key, on.map((each) => each.urn)]),
    ),
  };
}

/**
 * The SDK hands out properties as proxies that throw when an unknown value is read, and would then skip the whole rule with
 * an advisory note. Here only the unknown value drops out, so that everything beside it is judged. Assets become what they
 * say of themselves: a text asset its text, an archive its entries.
 */
export async function plainProps(props: Record<string, unknown>): Promise<Props> {
  // Kiln's policy host gives all rules the same values, each rule behind a proxy of its own.
  const values = props.__getSpecialProxyTarget;
  if (typeof values !== "object" || values === null) return plain(props) as Promise<Props>;
  const found = known.get(values) ?? (plain(props) as Later<Props>);
  known.set(values, found);
  return found;
}

/** Only what an asset holds has to be waited for: few resources have any, and waiting for every value takes its time. */
type Later<T> = T | Promise<T>;

/** What was made of values that are still in use. */
const known = new WeakMap<object, Later<Props>>();

function plain(value: unknown): Later<Value> {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") return value as Value;
  // What an asset holds is a promise; a promise behind a proxy cannot be awaited, the SDK's own key gives the bare one.
  if (Object.prototype.toString.call(value) === "[object Promise]") {
    const bare = (value as Record<string, unknown>).__getSpecialProxyTarget ?? value;
    return (bare as Promise<unknown>).then(plain);
  }
  if (Array.isArray(value)) {
    const items: Later<Value>[] = [];
    for (let index = 0; index < value.length; index++) items.push(read(value, index));
    return allOf(items, (all) => all);
  }
  const keys = Object.keys(value).filter((key) => key !== "__pulumiAsset" && key !== "__pulumiArchive");
  const values = keys.map((key) => read(value, key));
  return allOf(values, (all) => {
    const result: Record<string, Value> = Object.create(null);
    for (const [index, key] of keys.entries()) result[key] = all[index] as Value;
    return result;
  });
}

function allOf<T>(values: readonly Later<Value>[], make: (values: readonly Value[]) => T): Later<T> {
  return values.some((value) => value instanceof Promise)
    ? Promise.all(values).then(make)
    : make(values as readonly Value[]);
}

function read(holder: object, key: string | number): Later<Value> {
  let value: unknown;
  try {
    value = (holder as Record<string | number, unknown>)[key];
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
  return plain(value);
}
