import { isRecord } from "../arm-client.ts";
import { isList, isMap, type ValueMap } from "../values.ts";
import { type GitHubClient, NotFoundError } from "./client.ts";
import { asValues } from "./repository.ts";
import { type GitHubType, idParts, present, textOf } from "./types.ts";

/** SDK → GraphQL, of what both have as one flag. */
const flags: Readonly<Record<string, string>> = {
  allowsDeletions: "allowsDeletions",
  allowsForcePushes: "allowsForcePushes",
  enforceAdmins: "isAdminEnforced",
  lockBranch: "lockBranch",
  requireConversationResolution: "requiresConversationResolution",
  requireSignedCommits: "requiresCommitSignatures",
  requiredLinearHistory: "requiresLinearHistory",
};
const reviewFlags: Readonly<Record<string, string>> = {
  dismissStaleReviews: "dismissesStaleReviews",
  requireCodeOwnerReviews: "requiresCodeOwnerReviews",
  requireLastPushApproval: "requireLastPushApproval",
};
const fields = [
  "id",
  "pattern",
  ...Object.values(flags),
  "requiresApprovingReviews",
  "requiredApprovingReviewCount",
  ...Object.values(reviewFlags),
  "requiresStatusChecks",
  "requiresStrictStatusChecks",
  "requiredStatusCheckContexts",
].join(" ");
const rule = `branchProtectionRule { ${fields} repository { id name } }`;
const notServed = ["forcePushBypassers", "restrictPushes"];

/** Protection of the branches that a pattern matches. The real provider makes it by GraphQL too. */
export const branchProtection: GitHubType = {
  token: "branchProtection:BranchProtection",
  inputs: [
    ...Object.keys(flags),
    ...notServed,
    "pattern",
    "repositoryId",
    "requiredPullRequestReviews",
    "requiredStatusChecks",
  ],
  required: ["pattern", "repositoryId"],
  defaults: Object.fromEntries(Object.keys(flags).map((name) => [name, false])),
  replaceOn: ["repositoryId"],
  computed: [],
  problems: (inputs) =>
    notServed
      .filter((name) => inputs[name] !== undefined)
      .map((name) => ({ property: name, reason: `the sandbox's provider does not serve '${name}'` })),
  identify(id) {
    if (!id.includes(":")) return id === "" ? undefined : { ruleId: id };
    const [repositoryId, pattern] = idParts(id);
    return repositoryId && pattern ? { repositoryId, pattern } : undefined;
  },
  async create(api, inputs) {
    const repositoryId = await repositoryNode(api, textOf(inputs, "repositoryId"));
    const mutation = `mutation($input: CreateBranchProtectionRuleInput!) { createBranchProtectionRule(input: $input) { ${rule} } }`;
    const input = { ...bodyOf(inputs), repositoryId };
    const { createBranchProtectionRule: made } = await api.graphql(mutation, { input });
    const found = isRecord(made) && isRecord(made.branchProtectionRule) ? made.branchProtectionRule : {};
    return String(found.id);
  },
  async read(api, state) {
    const found = await find(api, state);
    if (found === undefined) return undefined;
    const repository = isRecord(found.repository) ? found.repository : {};
    const reviews = {
      requiredApprovingReviewCount: found.requiredApprovingReviewCount ?? 0,
      ...renamed(found, reviewFlags),
    };
    return asValues({
      ...renamed(found, flags),
      pattern: found.pattern,
      // As the program named it: by its node or by its name.
      repositoryId: state.repositoryId ?? repository.id,
      ruleId: found.id,
      requiredPullRequestReviews:
        found.requiresApprovingReviews === true
          ? [told(reviews, state.requiredPullRequestReviews)]
          : undefined,
      requiredStatusChecks:
        found.requiresStatusChecks === true
          ? [
              told(
                {
                  strict: found.requiresStrictStatusChecks,
                  contexts: found.requiredStatusCheckContexts ?? [],
                },
                state.requiredStatusChecks,
              ),
            ]
          : undefined,
    });
  },
  async update(api, inputs, state) {
    const mutation = `mutation($input: UpdateBranchProtectionRuleInput!) { updateBranchProtectionRule(input: $input) { ${rule} } }`;
    await api.graphql(mutation, {
      input: { ...bodyOf(inputs), branchProtectionRuleId: await ruleId(api, state) },
    });
  },
  async delete(api, state) {
    const mutation = `mutation($input: DeleteBranchProtectionRuleInput!) { deleteBranchProtectionRule(input: $input) { clientMutationId } }`;
    try {
      await api.graphql(mutation, { input: { branchProtectionRuleId: await ruleId(api, state) } });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  },
};

type Found = Readonly<Record<string, unknown>>;

/** By its id, or, for an import, by repository and pattern. */
async function find(api: GitHubClient, state: ValueMap): Promise<Found | undefined> {
  const selection = `${fields} repository { id name }`;
  try {
    if (state.ruleId !== undefined) {
      const query = `query($id: ID!) { node(id: $id) { ... on BranchProtectionRule { ${selection} } } }`;
      const { node } = await api.graphql(query, { id: state.ruleId });
      return isRecord(node) ? node : undefined;
    }
    const query = `query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
      branchProtectionRules(first: 100) { nodes { ${selection} } } } }`;
    const variables = { owner: api.owner, name: textOf(state, "repositoryId") };
    const { repository } = await api.graphql(query, variables);
    const rules =
      isRecord(repository) && isRecord(repository.branchProtectionRules)
        ? repository.branchProtectionRules
        : {};
    const nodes = Array.isArray(rules.nodes) ? rules.nodes.filter(isRecord) : [];
    return nodes.find(({ pattern }) => pattern === state.pattern);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function ruleId(api: GitHubClient, state: ValueMap): Promise<string> {
  if (typeof state.ruleId === "string") return state.ruleId;
  const found = await find(api, state);
  if (found === undefined) throw new NotFoundError(`no protection of ${textOf(state, "pattern")}`);
  return String(found.id);
}

/** The repository may be given by its name, or by its node. */
async function repositoryNode(api: GitHubClient, given: string): Promise<string> {
  const found = await api.find(api.path(given));
  return found === undefined ? given : String(found.node_id);
}

function bodyOf(inputs: ValueMap): Record<string, unknown> {
  const first = (name: string): ValueMap | undefined => {
    const list = inputs[name];
    const value = isList(list) ? list[0] : undefined;
    return isMap(value) ? value : undefined;
  };
  const reviews = first("requiredPullRequestReviews");
  const checks = first("requiredStatusChecks");
  return present({
    pattern: inputs.pattern,
    ...Object.fromEntries(Object.entries(flags).map(([own, theirs]) => [theirs, inputs[own] ?? false])),
    requiresApprovingReviews: reviews !== undefined,
    requiredApprovingReviewCount: reviews?.requiredApprovingReviewCount ?? 0,
    ...Object.fromEntries(
      Object.entries(reviewFlags).map(([own, theirs]) => [theirs, reviews?.[own] ?? false]),
    ),
    requiresStatusChecks: checks !== undefined,
    requiresStrictStatusChecks: checks?.strict ?? false,
    requiredStatusCheckContexts: checks?.contexts ?? [],
  });
}

function renamed(found: Found, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(names).map(([own, theirs]) => [own, found[theirs]]));
}

/** What was said, and what is otherwise than by itself. */
function told(values: Readonly<Record<string, unknown>>, before: ValueMap[string] | undefined): object {
  const first = isList(before) ? before[0] : undefined;
  const said = isMap(first) ? first : {};
  const empty = (value: unknown) =>
    value === false || value === 0 || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => name in said || !empty(value)));
}
