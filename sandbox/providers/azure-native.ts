import { ArmClient, type RetryPolicy } from "./arm-client.ts";
import { AcceptedThenFailed, ArmResources, type Live } from "./arm-resources.ts";
import { findType } from "./catalogue.ts";
import { checkInputs, createBeforeDelete } from "./check.ts";
import { within } from "./deadline.ts";
import { adoptLive, carryDrift, diffInputs, replaceRule } from "./diff.ts";
import { type GetToken, invokeFunction } from "./functions.ts";
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
} from "./provider.ts";
import { importedInputs, previewOutputs, toInputs } from "./shape.ts";
import type { ArmTransport } from "./transport.ts";
import { parseResourceId, pathParameters, type ResourceType, resourceId } from "./types.ts";
import { keepSecrets, plainMap, type ValueMap } from "./values.ts";

export interface AzureNativeOptions {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly transport: ArmTransport;
  readonly getToken: GetToken;
  readonly retry?: RetryPolicy;
}

/**
 * `azure-native`: translates resource types to the HTTP calls that the real provider makes, in its order and with its
 * rules (github.com/pulumi/pulumi-azure-native, provider/pkg/provider).
 */
export class AzureNative implements Provider {
  readonly name = "azure-native";
  readonly version = "3.28.0";
  readonly #options: AzureNativeOptions;
  readonly #arm: ArmResources;

  constructor(options: AzureNativeOptions) {
    this.#options = options;
    this.#arm = new ArmResources(new ArmClient(options.transport, options.retry));
  }

  configure(config: Readonly<Record<string, string>>): void {
    for (const [name, own] of [
      ["subscriptionId", this.#options.subscriptionId],
      ["tenantId", this.#options.tenantId],
    ] as const) {
      const wanted = config[name];
      if (wanted !== undefined && wanted !== "" && wanted.toLowerCase() !== own.toLowerCase()) {
        throw new Error(
          `azure-native:${name} is '${wanted}', but the sandbox has only '${own}': remove it from the configuration or set it to that`,
        );
      }
    }
  }

  async check(
    request: CheckRequest,
    session: Session,
  ): Promise<{ inputs: ValueMap; failures: CheckFailure[] }> {
    const type = findType(request.type);
    if (type === undefined) {
      return { inputs: request.news, failures: [{ property: "", reason: notServed(request.type) }] };
    }
    return checkInputs(type, request, session.config.location, async (group) => {
      const groups = requireType("azure-native:resources:ResourceGroup");
      const id = resourceId(groups, this.#options.subscriptionId, { resourceGroupName: group });
      const location = (await this.#arm.read(groups, id, session.signal))?.outputs.location;
      return typeof location === "string" ? location : undefined;
    });
  }

  diff(request: DiffRequest): Difference {
    const type = requireType(request.type);
    const live = toInputs(type.shape, request.oldOutputs);
    const changes = diffInputs(request.oldInputs, request.inputs, replaceRule(type), live);
    const replaced = changes.some((change) => change.replace);
    return { changes, deleteBeforeReplace: replaced && request.oldInputs[createBeforeDelete] !== true };
  }

  async create(request: CreateRequest, session: Session): Promise<{ id: string; outputs: ValueMap }> {
    const type = requireType(request.type);
    const parameters = pathParameters(type);
    if (request.preview) return { id: "", outputs: previewOutputs(type.shape, request.inputs, parameters) };
    const id = resourceId(type, this.#options.subscriptionId, plainMap(request.inputs));
    return within(request.timeout, session.signal, async (signal) => {
      if (await this.#arm.exists(type, id, signal)) {
        throw new Error(`cannot create already existing resource '${id}'`);
      }
      const live = await this.#put(type, id, request.inputs, signal);
      return { id: live.id, outputs: keepSecrets(live.outputs, request.inputs) };
    });
  }

  async update(request: UpdateRequest, session: Session): Promise<ValueMap> {
    const type = requireType(request.type);
    if (request.preview) {
      const outputs = previewOutputs(type.shape, request.inputs, pathParameters(type));
      // Of all that the service sets, these two cannot change on a live resource.
      const stable = ["name", "location"].flatMap((name) => {
        const value = request.oldOutputs[name];
        return value === undefined ? [] : [[name, value] as const];
      });
      return { ...outputs, ...Object.fromEntries(stable) };
    }
    return within(request.timeout, session.signal, async (signal) => {
      const live = await this.#put(type, request.id, request.inputs, signal);
      return keepSecrets(live.outputs, request.inputs);
    });
  }

  async read(
    request: ReadRequest,
    session: Session,
  ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap } | undefined> {
    const type = requireType(request.type);
    const parameters = parseResourceId(type, request.id);
    if (parameters === undefined) {
      throw new Error(`'${request.id}' is no id of ${request.type}: it has the form '${type.path}'`);
    }
    const live = await this.#arm.read(type, request.id, session.signal);
    if (live === undefined) return undefined;
    const now = toInputs(type.shape, live.outputs);
    const known = request.inputs ?? {};
    let inputs: ValueMap;
    if (Object.keys(known).length === 0) {
      inputs = { ...parameters, ...importedInputs(type.shape, now, type.defaults ?? {}) };
    } else if (Object.keys(request.outputs).length === 0) {
      inputs = adoptLive(known, now);
    } else {
      inputs = carryDrift(known, toInputs(type.shape, request.outputs), now);
    }
    return { id: live.id, outputs: keepSecrets(live.outputs, inputs), inputs };
  }

  async delete(request: DeleteRequest, session: Session): Promise<void> {
    const type = requireType(request.type);
    await within(request.timeout, session.signal, (signal) =>
      this.#arm.delete(type, request.id, request.inputs, signal),
    );
  }

  invoke(
    token: string,
    args: ValueMap,
    session: Session,
  ): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
    return invokeFunction({ ...this.#options, arm: this.#arm }, token, args, session.signal);
  }

  /** Puts; when the service accepted and then failed, what it made is kept in state, with the reason. */
  async #put(type: ResourceType, id: string, inputs: ValueMap, signal: AbortSignal): Promise<Live> {
    try {
      return await this.#arm.put(type, id, inputs, signal);
    } catch (error) {
      if (!(error instanceof AcceptedThenFailed)) throw error;
      const made = await this.#afterFailure(type, id, error);
      const outputs = made === "unreadable" ? toInputs(type.shape, inputs) : made.outputs;
      const madeId = made === "unreadable" ? id : made.id;
      throw new PartialFailure(
        error.message,
        { id: madeId, outputs: keepSecrets(outputs, inputs), inputs },
        error,
      );
    }
  }

  /**
   * What is there after a failed operation. Asked without the signal, which may be what failed: losing track of a
   * resource is worse than one more request.
   * @throws the failure itself when nothing is there, for then nothing was made.
   */
  async #afterFailure(
    type: ResourceType,
    id: string,
    failure: AcceptedThenFailed,
  ): Promise<Live | "unreadable"> {
    let live: Live | undefined;
    try {
      live = await this.#arm.read(type, id, AbortSignal.timeout(5_000));
    } catch {
      return "unreadable";
    }
    if (live === undefined) throw failure.cause;
    return live;
  }
}

function requireType(token: string): ResourceType {
  const type = findType(token);
  if (type === undefined) throw new Error(notServed(token));
  return type;
}

function notServed(token: string): string {
  return `the sandbox does not serve resource type '${token}'`;
}
