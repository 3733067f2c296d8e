import {
  byNamespace,
  isProject,
  type Member,
  type NamespaceContent,
  ofKind,
} from "../kubernetes/namespaces.ts";
import { entries, KUBERNETES, within } from "../kubernetes/objects.ts";
import { at, isObject, isPresent, type Props, type Rule, type StackViolation, UNKNOWN } from "../model.ts";

/** What a LimitRange must give a container that says nothing, by what the quota counts. */
const NEEDED: readonly {
  readonly counted: readonly string[];
  readonly field: string;
  readonly name: string;
}[] = [
  { counted: ["requests.cpu", "cpu"], field: "defaultRequest", name: "cpu" },
  { counted: ["requests.memory", "memory"], field: "defaultRequest", name: "memory" },
  { counted: ["limits.cpu"], field: "default", name: "cpu" },
  { counted: ["limits.memory"], field: "default", name: "memory" },
];

/**
 * A quota on cpu refuses every pod with a container that does not say how much it wants, injected sidecars among them
 * (kserve#1242); a LimitRange says it for them. Without a quota a LimitRange bounds single containers and not their number.
 */
export const quotaWithLimitRange: Rule = {
  name: "quota-with-limit-range",
  description:
    "A namespace has both a quota and a LimitRange with the defaults that it needs, or neither; a project has both.",
  severity: "high",
  package: KUBERNETES,
  checkStack: (resources) => byNamespace(resources).flatMap(judged),
};

function judged(namespace: NamespaceContent): StackViolation[] {
  const quotas = ofKind(namespace, "ResourceQuota");
  const ranges = ofKind(namespace, "LimitRange");
  const [quota] = quotas;
  const [range] = ranges;
  if (quota === undefined && range === undefined)
    return isProject(namespace) && namespace.itself !== undefined
      ? [
          {
            resource: namespace.itself.resource,
            property: "(its quota)",
            message: "a project has a ResourceQuota and a LimitRange: what is in it could fill the cluster.",
          },
        ]
      : [];
  if (quota === undefined)
    return [
      lone(range, "a LimitRange without a ResourceQuota bounds each container, and not how many there are."),
    ];
  if (range === undefined)
    return [
      lone(quota, "a ResourceQuota without a LimitRange refuses every pod that does not say what it wants."),
    ];
  return quotas.flatMap((each) => undefaulted(each, ranges));
}

const lone = (member: Member | undefined, message: string): StackViolation => {
  if (member === undefined) throw new RangeError("neither of the two is there");
  return { resource: member.resource, property: within(member.of.path, "metadata.namespace"), message };
};

/** What a quota counts and no LimitRange gives a default for. */
function undefaulted({ resource, of }: Member, ranges: readonly Member[]): StackViolation[] {
  const hard = at(of.object, "spec.hard");
  if (!isObject(hard)) return [];
  const limits = ranges.flatMap((range) => entries(at(range.of.object, "spec.limits"), ""));
  const unknown = ranges.some((range) => at(range.of.object, "spec.limits") === UNKNOWN);
  if (unknown || limits.some(({ value }) => value === UNKNOWN)) return [];
  const perContainer = limits.flatMap(({ value }) =>
    isObject(value) && value.type === "Container" ? [value] : [],
  );
  return NEEDED.flatMap(({ counted, field, name }) => {
    const key = counted.find((each) => isPresent(hard[each]));
    if (key === undefined || perContainer.some((range) => gives(range, field, name))) return [];
    return [
      {
        resource,
        property: within(of.path, `spec.hard["${key}"]`),
        message: `is counted, and no LimitRange says ${field}.${name} for containers that say nothing: they would be refused.`,
      },
    ];
  });
}

/** A default limit is taken as the default request, too, and so is the most that is allowed. */
function gives(range: Props, field: string, name: string): boolean {
  const fields = field === "default" ? ["default", "max"] : ["defaultRequest", "default", "max"];
  return fields.some((each) => range[each] === UNKNOWN || isPresent(at(range, `${each}.${name}`)));
}
