import { azureType, type Rule, type StackInput, type StackViolation } from "../model.ts";

const isDeployment = (resource: StackInput): boolean =>
  azureType(resource.type) === "cognitiveservices:Deployment";
const isAccount = (resource: StackInput): boolean => azureType(resource.type) === "cognitiveservices:Account";

/**
 * One account takes one operation at a time: deployments that run side by side, or are deleted so, fail with
 * `RequestConflict`, which providers do not retry. In a chain of dependencies the engine never runs two at once.
 */
export const serialDeployments: Rule = {
  name: "serial-deployments",
  description: "Deployments of one AI account depend on each other in a chain.",
  severity: "high",
  checkStack(resources) {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const groups = new Map<string, StackInput[]>();
    for (const deployment of resources.filter(isDeployment)) {
      const account = accountOf(deployment, resources, byUrn);
      groups.set(account, [...(groups.get(account) ?? []), deployment]);
    }
    return [...groups.values()].flatMap((group) => unchained(group, byUrn));
  },
};

/** What tells one account from another: the resource when it is in the stack, else the name. */
function accountOf(
  deployment: StackInput,
  resources: readonly StackInput[],
  byUrn: ReadonlyMap<string, StackInput>,
): string {
  const byProperty = (deployment.propertyDependencies.accountName ?? []).find((urn) => {
    const resource = byUrn.get(urn);
    return resource !== undefined && isAccount(resource);
  });
  if (byProperty !== undefined) return byProperty;
  const name = deployment.props.accountName;
  const account = resources.find(
    (resource) =>
      isAccount(resource) &&
      typeof name === "string" &&
      [resource.props.accountName, resource.props.name].includes(name),
  );
  // Deployments whose account cannot be told are taken for one account's: better one chain too many than one too few.
  return (
    account?.urn ?? (typeof name === "string" ? name.toLowerCase() : "(an account that is not known yet)")
  );
}

function unchained(group: readonly StackInput[], byUrn: ReadonlyMap<string, StackInput>): StackViolation[] {
  const reach = new Map(group.map((deployment) => [deployment.urn, allDependencies(deployment, byUrn)]));
  // In a chain the number of members below each one is 0, 1, 2, …: sorted by it, each must reach the one before.
  const below = (deployment: StackInput) =>
    group.filter(({ urn }) => reach.get(deployment.urn)?.has(urn)).length;
  const ordered = [...group].sort((a, b) => below(a) - below(b));
  return ordered.flatMap((deployment, index) => {
    const before = ordered[index - 1];
    return before === undefined || reach.get(deployment.urn)?.has(before.urn)
      ? []
      : [
          {
            resource: deployment,
            property: "dependsOn",
            message: `must depend on ${before.name}: one account takes one operation at a time.`,
          },
        ];
  });
}

function allDependencies(resource: StackInput, byUrn: ReadonlyMap<string, StackInput>): Set<string> {
  const reached = new Set<string>();
  const open = [...resource.dependencies];
  for (let urn = open.pop(); urn !== undefined; urn = open.pop()) {
    if (reached.has(urn)) continue;
    reached.add(urn);
    open.push(...(byUrn.get(urn)?.dependencies ?? []));
  }
  return reached;
}
