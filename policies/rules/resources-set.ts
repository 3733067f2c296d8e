import { KUBERNETES } from "../kubernetes/objects.ts";
import { type Container, containersOf, podsOf } from "../kubernetes/pods.ts";
import { exceeds, isAmount, quantity } from "../kubernetes/quantity.ts";
import { isObject, isPresent, type Props, type Rule, UNKNOWN, type Value, type Violation } from "../model.ts";

const NEEDED = ["cpu", "memory"] as const;

/**
 * What a container does not ask for it is not given when the node is full, and what it is not limited to it takes from its
 * neighbours; a quota refuses it. Devices are whole and not shared: asked for and limited alike.
 */
export const resourcesSet: Rule = {
  name: "resources-set",
  description:
    "Every container requests and limits cpu and memory; devices are requested as they are limited.",
  severity: "high",
  package: KUBERNETES,
  check: (resource) => podsOf(resource).flatMap((pod) => containersOf(pod).flatMap(judged)),
};

function judged({ role, container, path, pod }: Container): Violation[] {
  // Ephemeral containers cannot have any.
  if (role === "ephemeral" || container.resources === UNKNOWN) return [];
  // What is left out of an InferenceService comes from its runtime (which must say it, if it is made here), and a patch
  // leaves what it does not name.
  const inherited = pod.of.patch || (pod.maker === "kserve" && !isPresent(container.resources));
  const resources = isObject(container.resources) ? container.resources : {};
  const requests = amounts(resources.requests);
  const limits = amounts(resources.limits);
  const inside = `${path}.resources`;
  const violations: Violation[] = [];
  for (const name of NEEDED) {
    for (const [field, given] of [
      ["requests", requests],
      ["limits", limits],
    ] as const) {
      const value = given === undefined ? UNKNOWN : given[name];
      if (isAmount(value) || (inherited && !isPresent(value))) continue;
      violations.push({
        property: `${inside}.${field}.${name}`,
        message: `must be set, to an amount above 0 such as ${name === "cpu" ? "500m" : "512Mi"}.`,
      });
    }
  }
  return requests === undefined || limits === undefined
    ? violations
    : [...violations, ...compared(requests, limits, inside)];
}

/** Undefined while they are not known; what is no map has none. */
const amounts = (value: Value | undefined): Props | undefined =>
  value === UNKNOWN ? undefined : isObject(value) ? value : {};

/** Names of devices have a domain (`nvidia.com/gpu`); huge pages are counted like them. */
const isDevice = (name: string): boolean => name.includes("/") || name.startsWith("hugepages-");

function compared(requests: Props, limits: Props, path: string): Violation[] {
  const names = new Set([...Object.keys(requests), ...Object.keys(limits)]);
  return [...names].flatMap((name): Violation[] => {
    const request = requests[name];
    const limit = limits[name];
    if (request === UNKNOWN || limit === UNKNOWN) return [];
    const [asked, most] = [quantity(request), quantity(limit)];
    const field = /^[a-z]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 128))}]`;
    if (isDevice(name)) {
      // A limit alone is taken as the request, too.
      const alike = most !== undefined && (request === undefined || request === null || asked === most);
      return alike
        ? []
        : [
            {
              property: `${path}.limits${field}`,
              message: "must be what is requested: a device is given whole, or not at all.",
            },
          ];
    }
    return asked !== undefined && most !== undefined && exceeds(asked, most)
      ? [{ property: `${path}.requests${field}`, message: "must not be more than the limit." }]
      : [];
  });
}
