import { createHash } from "node:crypto";
import { ArmClient, type RetryPolicy } from "../arm-client.ts";
import { within } from "../deadline.ts";
import { adoptLive, carryDrift, diffInputs, type PropertyChange, type ReplaceRule } from "../diff.ts";
import {
  type CheckFailure,
  type CheckRequest,
  type CreateRequest,
  type DeleteRequest,
  type Difference,
  type DiffRequest,
  PartialFailure,
  type Provider,
  type ReadRequest,
  type Session,
  type UpdateRequest,
} from "../provider.ts";
import type { ArmTransport } from "../transport.ts";
import {
  isList,
  keepSecrets,
  mapValues,
  plainMap,
  reveal,
  Secret,
  unknown,
  type Value,
  type ValueMap,
} from "../values.ts";
import { actionsTypes } from "./actions.ts";
import { GitHubClient } from "./client.ts";
import { branchDefault, repositoryFile } from "./content.ts";
import { deploymentPolicy, repositoryEnvironment } from "./environments.ts";
import { lookUp } from "./functions.ts";
import { branchProtection } from "./protection.ts";
import { repository } from "./repository.ts";
import { repositoryRuleset } from "./ruleset.ts";
import type { GitHubType } from "./types.ts";

/** Every type that the sandbox serves. */
export const gitHubTypes: readonly GitHubType[] = [
  repository,
  repositoryEnvironment,
  deploymentPolicy,
  repositoryFile,
  branchDefault,
  repositoryRuleset,
  branchProtection,
  ...actionsTypes,
];
const byToken: ReadonlyMap<string, GitHubType> = new Map(
  gitHubTypes.map((type) => [`github:index/${type.token}`, type]),
);

export interface GitHubOptions {
  readonly transport: ArmTransport;
  /** Whose repositories, where the program does not say: what `GITHUB_OWNER` says in the clients' environment. */
  readonly owner: string;
  readonly retry?: RetryPolicy;
}

/**
 * `github`: translates resource types to the REST calls that the real provider makes (github.com/pulumi/pulumi-github, over
 * github.com/integrations/terraform-provider-github).
 */
export class GitHubProvider implements Provider {
  readonly name = "github";
  readonly version = "6.15.0";
  readonly #client: ArmClient;
  readonly #owner: string;

  constructor(options: GitHubOptions) {
    this.#client = new ArmClient(options.transport, options.retry);
    this.#owner = options.owner;
  }

  configure(config: Readonly<Record<string, string>>): void {
    const { baseUrl } = config;
    if (baseUrl !== undefined && baseUrl !== "" && new URL(baseUrl).host !== "api.github.com") {
      throw new Error(`github:baseUrl is '${baseUrl}', but the sandbox has only https://api.github.com/`);
    }
    if (config.appAuth !== undefined && config.appAuth !== "" && config.appAuth !== "null") {
      throw new Error("github:appAuth: the sandbox's GitHub has no apps; leave it out to be who runs Pulumi");
    }
  }

  async check(request: CheckRequest): Promise<{ inputs: ValueMap; failures: CheckFailure[] }> {
    const type = byToken.get(request.type);
    if (type === undefined) {
      return { inputs: request.news, failures: [{ property: "", reason: notServed(request.type) }] };
    }
    const inputs = markSecrets(type, named(type, request));
    const failures = [
      ...(type.required ?? [])
        .filter((name) => inputs[name] === undefined)
        .map((name) => ({ property: name, reason: `missing required property '${name}'` })),
      ...Object.keys(inputs)
        .filter((name) => !type.inputs.includes(name) && !name.startsWith("__"))
        .map((name) => ({ property: name, reason: `${request.type} has no property '${name}'` })),
      ...(type.problems?.(plainMap(inputs)) ?? []),
    ];
    return { inputs, failures };
  }

  async diff(request: DiffRequest, session: Session): Promise<Difference> {
    const type = requireType(request.type);
    const old = whole(type, request.oldInputs);
    const next = whole(type, { ...keptOf(type, request), ...request.inputs });
    const moves = await this.#moves(type, request, session);
    const replaces: ReplaceRule = ([root = ""], change) => {
      if (root === "repository") return moves;
      if (change !== "update" && type.replaceOnSwitch?.includes(root)) return true;
      return type.replaceOn?.includes(root) === true;
    };
    const changes = diffInputs(old, next, replaces, request.oldOutputs);
    const drifted = type.drifted?.(plainMap(request.oldOutputs));
    const all: PropertyChange[] =
      drifted === undefined ? changes : [...changes, { path: drifted, change: "update", replace: false }];
    return { changes: all, deleteBeforeReplace: false };
  }

  /** Whether another name of the repository means another repository: one that was renamed is the same. */
  async #moves(type: GitHubType, request: DiffRequest, session: Session): Promise<boolean> {
    const [before, after] = [request.oldInputs.repository, request.inputs.repository];
    if (type.replaceOn?.includes("repository") || before === undefined || after === undefined) return true;
    const name = reveal(after);
    if (name === reveal(before)) return false;
    if (typeof name !== "string") return false;
    const api = this.#api(session, session.signal);
    const found = await api.find(api.path(name));
    return found?.id !== reveal(request.oldOutputs.repositoryId ?? null);
  }

  async create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }> {
    const type = requireType(request.type);
    if (request.preview) return { id: "", outputs: previewed(type, request.inputs, type.computed) };
    return within(request.timeout, session.signal, async (signal) => {
      const api = this.#api(session, signal);
      const inputs = plainMap(request.inputs);
      const id = await type.create(api, inputs);
      try {
        await type.complete?.(api, inputs);
        return { id, outputs: await this.#outputs(api, type, id, request.inputs, request.inputs) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new PartialFailure(message, { id, outputs: request.inputs, inputs: request.inputs }, error);
      }
    });
  }

  async update(request: UpdateRequest, session: Session): Promise<ValueMap> {
    const type = requireType(request.type);
    const { oldOutputs, inputs } = request;
    if (request.preview) {
      const settled = { ...Object.fromEntries(Object.entries(oldOutputs)), ...inputs };
      return previewed(type, settled, type.volatile ?? []);
    }
    return within(request.timeout, session.signal, async (signal) => {
      const api = this.#api(session, signal);
      const state = { ...type.identify(request.id), ...plainMap(oldOutputs) };
      await type.update(api, plainMap(inputs), state);
      // What it was when it was last written from here is not what it is now.
      const { updatedAt: _, ...before } = oldOutputs;
      return this.#outputs(api, type, request.id, { ...before, ...inputs }, inputs);
    });
  }

  async read(
    request: ReadRequest,
    session: Session,
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined> {
    const type = requireType(request.type);
    const named = type.identify(request.id);
    if (named === undefined) throw new Error(`'${request.id}' is no id of ${request.type}`);
    const api = this.#api(session, session.signal);
    const known = request.inputs ?? {};
    const before = { ...plainMap(known), ...plainMap(request.outputs) };
    const live = await type.read(api, { ...named, ...before });
    if (live === undefined) return undefined;
    const now = pick(live, type.inputs);
    let inputs: ValueMap;
    if (Object.keys(known).length === 0) inputs = { ...named, ...imported(type, now) };
    else if (Object.keys(request.outputs).length === 0) inputs = adoptLive(known, now);
    else inputs = carryDrift(known, pick(request.outputs, Object.keys(now)), now);
    const unread = pick(before, type.unread ?? []);
    const outputs = markSecrets(type, keepSecrets({ ...unread, ...live }, { ...known, ...inputs }));
    return { id: request.id, outputs, inputs: pick(inputs, type.inputs) };
  }

  async delete(request: DeleteRequest, session: Session): Promise<void> {
    const type = requireType(request.type);
    await within(request.timeout, session.signal, (signal) =>
      type.delete(this.#api(session, signal), { ...type.identify(request.id), ...plainMap(request.outputs) }),
    );
  }

  async invoke(
    token: string,
    args: ValueMap,
    session: Session,
  ): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
    return { result: await lookUp(this.#api(session, session.signal), token, plainMap(args)), failures: [] };
  }

  #api(session: Session, signal: AbortSignal): GitHubClient {
    const { owner, organization, token } = session.config;
    return new GitHubClient(this.#client, {
      owner: owner || organization || this.#owner,
      token: token || undefined,
      signal,
    });
  }

  /** What a resource shows once it was written. @param state what is known of it; what of it is secret stays so */
  async #outputs(
    api: GitHubClient,
    type: GitHubType,
    id: string,
    state: ValueMap,
    inputs: ValueMap,
  ): Promise<ValueMap> {
    const known = plainMap(state);
    const live = await type.read(api, { ...type.identify(id), ...known });
    if (live === undefined) throw new Error(`'${id}' was written, and is not there`);
    const unread = pick({ ...type.defaults, ...known }, type.unread ?? []);
    return markSecrets(type, keepSecrets({ ...unread, ...live }, inputs));
  }
}

function requireType(token: string): GitHubType {
  const type = byToken.get(token);
  if (type === undefined) throw new Error(notServed(token));
  return type;
}

function notServed(token: string): string {
  return `the sandbox does not serve resource type '${token}'`;
}

/** Gives a name where there is none: the one of before, the engine's, or one made of the resource's and a few digits. */
function named(type: GitHubType, request: CheckRequest): ValueMap {
  const { news, olds, autonaming } = request;
  if (!type.autoNamed || news.name !== undefined) return news;
  if (olds.name !== undefined) return { ...news, name: olds.name };
  if (autonaming?.mode === "disable") return news;
  if (autonaming !== undefined) return { ...news, name: autonaming.proposed };
  const hex = createHash("sha256").update(request.randomSeed).update(request.urn).digest("hex");
  return { ...news, name: `${request.name}-${hex.slice(0, 7)}` };
}

function markSecrets(type: GitHubType, values: ValueMap): ValueMap {
  return mapValues(values, (value, name) =>
    type.secret?.includes(name) && !(value instanceof Secret) ? new Secret(value) : value,
  );
}

/** Inputs with what is so where nothing is said, and with sets in an order of their own. */
function whole(type: GitHubType, inputs: ValueMap): ValueMap {
  return mapValues({ ...type.defaults, ...inputs }, (value, name) =>
    type.sets?.includes(name) ? sorted(value) : value,
  );
}

function sorted(value: Value): Value {
  const list = reveal(value);
  if (!isList(list) || !list.every((each) => typeof each === "string")) return value;
  return [...list].sort();
}

/** What is not said any more, and stays. */
function keptOf(type: GitHubType, request: DiffRequest): ValueMap {
  return pick(request.oldInputs, type.kept ?? []);
}

function previewed(type: GitHubType, inputs: ValueMap, unknowns: readonly string[]): ValueMap {
  const open = Object.fromEntries(unknowns.map((name) => [name, unknown] as const));
  return markSecrets(type, { ...type.defaults, ...open, ...inputs, ...pick(open, type.volatile ?? []) });
}

/** What an import takes over: not what is so anyway. */
function imported(type: GitHubType, live: ValueMap): ValueMap {
  return Object.fromEntries(
    Object.entries(live).filter(([name, value]) => {
      const empty = isList(value) && value.length === 0;
      return !empty && !type.derived?.includes(name) && value !== type.defaults?.[name];
    }),
  );
}

function pick(map: ValueMap, names: readonly string[]): ValueMap {
  return Object.fromEntries(Object.entries(map).filter(([name]) => names.includes(name)));
}
