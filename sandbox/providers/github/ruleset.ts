import { isRecord } from "../arm-client.ts";
import { isList, isMap, type Value, type ValueMap } from "../values.ts";
import { asValues } from "./repository.ts";
import { camel, type GitHubType, idOf, idParts, present, snake, textOf } from "./types.ts";

/** Lists of which the SDK's name is another than GitHub's: SDK → GitHub. */
const renamed: Readonly<Record<string, string>> = {
  excludes: "exclude",
  includes: "include",
  requiredChecks: "required_status_checks",
  requiredCodeScanningTools: "code_scanning_tools",
};
const renamedBack: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(renamed).map(([own, theirs]) => [theirs, own])),
};
/** Rules that are called otherwise. */
const ruleNames: Readonly<Record<string, string>> = { requiredCodeScanning: "code_scanning" };
/** Rules whose one parameter the SDK calls so. */
const updateMerge = "updateAllowsFetchAndMerge";
const strict = "strictRequiredStatusChecksPolicy";

/** A ruleset of a repository: the SDK's rules are an object with one property each, GitHub's a list. */
export const repositoryRuleset: GitHubType = {
  token: "repositoryRuleset:RepositoryRuleset",
  inputs: ["bypassActors", "conditions", "enforcement", "name", "repository", "rules", "target"],
  required: ["enforcement", "repository", "rules", "target"],
  defaults: {},
  replaceOn: ["repository"],
  autoNamed: true,
  computed: ["etag", "nodeId", "rulesetId"],
  volatile: ["etag"],
  identify(id) {
    const [repository, rulesetId] = idParts(id);
    if (repository === undefined || !/^\d+$/.test(rulesetId ?? "")) return undefined;
    return { repository, rulesetId: Number(rulesetId) };
  },
  async create(api, inputs) {
    const repository = textOf(inputs, "repository");
    const path = api.path(repository, "rulesets");
    const made = await api.send({ method: "POST", path, body: bodyOf(inputs) });
    return idOf(repository, String(made.id));
  },
  async read(api, state) {
    const repository = textOf(state, "repository");
    const found = await api.find(api.path(repository, "rulesets", String(state.rulesetId)));
    if (found === undefined) return undefined;
    const actors = fromWire(found.bypass_actors);
    const hasConditions = isRecord(found.conditions) && Object.keys(found.conditions).length > 0;
    return asValues({
      repository,
      rulesetId: found.id,
      nodeId: found.node_id,
      etag: found.updated_at,
      name: found.name,
      target: found.target,
      enforcement: found.enforcement,
      bypassActors: Array.isArray(actors) && actors.length > 0 ? actors : undefined,
      conditions: hasConditions ? fromWire(found.conditions) : undefined,
      rules: rulesOf(found.rules, isMap(state.rules) ? state.rules : {}),
    });
  },
  async update(api, inputs, state) {
    const path = api.path(textOf(inputs, "repository"), "rulesets", String(state.rulesetId));
    await api.send({ method: "PUT", path, body: bodyOf(inputs) });
  },
  delete: (api, state) =>
    api.remove(api.path(textOf(state, "repository"), "rulesets", String(state.rulesetId))),
};

function bodyOf(inputs: ValueMap): Record<string, unknown> {
  return present({
    name: inputs.name,
    target: inputs.target,
    enforcement: inputs.enforcement,
    bypass_actors: inputs.bypassActors === undefined ? [] : toWire(inputs.bypassActors),
    conditions: inputs.conditions === undefined ? {} : toWire(inputs.conditions),
    rules: isMap(inputs.rules) ? ruleList(inputs.rules) : [],
  });
}

function ruleList(rules: ValueMap): object[] {
  return Object.entries(rules).flatMap(([name, value]) => {
    if (value === false || name === updateMerge) return [];
    const type = ruleNames[name] ?? snake(name);
    if (name === "update") {
      return [{ type, parameters: { update_allows_fetch_and_merge: rules[updateMerge] === true } }];
    }
    if (value === true) return [{ type }];
    const parameters = toWire(value) as Record<string, unknown>;
    // GitHub wants these said.
    if (name === "requiredStatusChecks") parameters[snake(strict)] ??= false;
    if (name === "pullRequest") return [{ type, parameters: { ...pullRequestDefaults, ...parameters } }];
    return [{ type, parameters }];
  });
}

const pullRequestDefaults = {
  dismiss_stale_reviews_on_push: false,
  require_code_owner_review: false,
  require_last_push_approval: false,
  required_approving_review_count: 0,
  required_review_thread_resolution: false,
};

/** The rules as the SDK has them; what the program left out and GitHub filled in stays out. */
function rulesOf(rules: unknown, before: ValueMap): Record<string, unknown> {
  const list = Array.isArray(rules) ? rules.filter(isRecord) : [];
  const wide: Record<string, unknown> = {};
  for (const { type, parameters } of list) {
    const name = Object.entries(ruleNames).find(([, theirs]) => theirs === type)?.[0] ?? camel(String(type));
    if (type === "update") {
      const merges = isRecord(parameters) && parameters.update_allows_fetch_and_merge === true;
      Object.assign(wide, { update: true, ...(merges ? { [updateMerge]: true } : {}) });
    } else {
      wide[name] = isRecord(parameters) ? said(fromWire(parameters), before[name]) : true;
    }
  }
  return wide;
}

function said(parameters: unknown, before: Value | undefined): unknown {
  if (!isRecord(parameters)) return parameters;
  const known = isMap(before) ? before : {};
  return Object.fromEntries(
    Object.entries(parameters).filter(([name, value]) => name in known || (value !== false && value !== 0)),
  );
}

function toWire(value: Value): unknown {
  if (isList(value)) return value.map(toWire);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [renamed[name] ?? snake(name), toWire(each)]),
  );
}

function fromWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromWire);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [renamedBack[name] ?? camel(name), fromWire(each)]),
  );
}
