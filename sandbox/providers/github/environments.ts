import { isRecord } from "../arm-client.ts";
import { isList, isMap, type ValueMap } from "../values.ts";
import { asValues } from "./repository.ts";
import { type GitHubType, idOf, idParts, present, textOf } from "./types.ts";

/** An environment with its protection. Each write says everything. */
export const repositoryEnvironment: GitHubType = {
  token: "repositoryEnvironment:RepositoryEnvironment",
  inputs: [
    "canAdminsBypass",
    "deploymentBranchPolicy",
    "environment",
    "preventSelfReview",
    "repository",
    "reviewers",
    "waitTimer",
  ],
  required: ["environment", "repository"],
  defaults: { canAdminsBypass: true, preventSelfReview: false, waitTimer: 0 },
  replaceOn: ["environment"],
  computed: ["repositoryId"],
  identify(id) {
    const [repository, environment] = idParts(id);
    return repository === undefined || environment === undefined ? undefined : { repository, environment };
  },
  async create(api, inputs) {
    await put(api, inputs);
    return idOf(textOf(inputs, "repository"), textOf(inputs, "environment"));
  },
  async read(api, state) {
    const repository = textOf(state, "repository");
    const found = await api.find(api.path(repository, "environments", textOf(state, "environment")));
    if (found === undefined) return undefined;
    const rules = (Array.isArray(found.protection_rules) ? found.protection_rules : []).filter(isRecord);
    const rule = (type: string) => rules.find((each) => each.type === type);
    const policy = isRecord(found.deployment_branch_policy) ? found.deployment_branch_policy : undefined;
    const review = rule("required_reviewers");
    return asValues({
      repository,
      environment: found.name,
      repositoryId: (await api.find(api.path(repository)))?.id,
      canAdminsBypass: found.can_admins_bypass,
      waitTimer: rule("wait_timer")?.wait_timer ?? 0,
      preventSelfReview: review?.prevent_self_review ?? false,
      reviewers: review === undefined ? undefined : [reviewersOf(review.reviewers, state)],
      deploymentBranchPolicy:
        policy === undefined
          ? undefined
          : {
              protectedBranches: policy.protected_branches,
              customBranchPolicies: policy.custom_branch_policies,
            },
    });
  },
  async update(api, inputs) {
    await put(api, inputs);
  },
  delete: (api, state) =>
    api.remove(api.path(textOf(state, "repository"), "environments", textOf(state, "environment"))),
};

async function put(api: Parameters<GitHubType["create"]>[0], inputs: ValueMap): Promise<void> {
  const policy = isMap(inputs.deploymentBranchPolicy) ? inputs.deploymentBranchPolicy : undefined;
  const groups = isList(inputs.reviewers) ? inputs.reviewers.filter(isMap) : [];
  const ids = (name: string, type: string) =>
    groups.flatMap((group) =>
      isList(group[name]) ? group[name].map((id) => ({ type, id: Number(id) })) : [],
    );
  await api.send({
    method: "PUT",
    path: api.path(textOf(inputs, "repository"), "environments", textOf(inputs, "environment")),
    body: {
      ...present({
        wait_timer: inputs.waitTimer,
        can_admins_bypass: inputs.canAdminsBypass ?? true,
        prevent_self_review: inputs.preventSelfReview ?? false,
      }),
      reviewers: [...ids("teams", "Team"), ...ids("users", "User")],
      deployment_branch_policy:
        policy === undefined
          ? null
          : {
              protected_branches: policy.protectedBranches,
              custom_branch_policies: policy.customBranchPolicies,
            },
    },
  });
}

/** Teams and users apart; a kind of which there is none is left out, unless the program spells out the empty list. */
function reviewersOf(reviewers: unknown, state: ValueMap): Record<string, unknown> {
  const all = Array.isArray(reviewers) ? reviewers.filter(isRecord) : [];
  const before = isList(state.reviewers) && isMap(state.reviewers[0]) ? state.reviewers[0] : {};
  const ids = (type: string, name: string) => {
    const found = all.flatMap(({ type: is, reviewer }) =>
      is === type && isRecord(reviewer) ? [reviewer.id] : [],
    );
    return found.length === 0 && before[name] === undefined ? undefined : found;
  };
  return present({ teams: ids("Team", "teams"), users: ids("User", "users") });
}

/** One pattern of the branches or tags that may deploy. */
export const deploymentPolicy: GitHubType = {
  token: "repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy",
  inputs: ["branchPattern", "environment", "repository", "tagPattern"],
  required: ["environment", "repository"],
  replaceOn: ["environment"],
  replaceOnSwitch: ["branchPattern", "tagPattern"],
  computed: ["policyId", "repositoryId"],
  problems: (inputs) =>
    "branchPattern" in inputs === "tagPattern" in inputs
      ? [{ property: "branchPattern", reason: "exactly one of branchPattern and tagPattern must be given" }]
      : [],
  identify(id) {
    const [repository, environment, policyId] = idParts(id);
    if (repository === undefined || environment === undefined || !/^\d+$/.test(policyId ?? ""))
      return undefined;
    return { repository, environment, policyId: Number(policyId) };
  },
  async create(api, inputs) {
    const tag = inputs.tagPattern;
    const made = await api.send({
      method: "POST",
      path: policies(api, inputs),
      body: tag === undefined ? { name: inputs.branchPattern, type: "branch" } : { name: tag, type: "tag" },
    });
    return idOf(textOf(inputs, "repository"), textOf(inputs, "environment"), String(made.id));
  },
  async read(api, state) {
    const found = await api.find(`${policies(api, state)}/${String(state.policyId)}`);
    if (found === undefined) return undefined;
    const repository = textOf(state, "repository");
    return asValues({
      repository,
      environment: state.environment,
      policyId: found.id,
      repositoryId: (await api.find(api.path(repository)))?.id,
      ...(found.type === "tag" ? { tagPattern: found.name } : { branchPattern: found.name }),
    });
  },
  async update(api, inputs, state) {
    const name = inputs.branchPattern ?? inputs.tagPattern;
    const path = `${policies(api, state)}/${String(state.policyId)}`;
    await api.send({ method: "PUT", path, body: { name } });
  },
  delete: (api, state) => api.remove(`${policies(api, state)}/${String(state.policyId)}`),
};

function policies(api: Parameters<GitHubType["create"]>[0], state: ValueMap): string {
  const environment = textOf(state, "environment");
  return api.path(textOf(state, "repository"), "environments", environment, "deployment-branch-policies");
}
