import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { deploymentHiddenOf, deploymentType, propertiesOf } from "../cognitive/state.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { createService, type Service } from "../core/service.ts";
import { admit, notFound } from "./access.ts";
import { findModel, type Model, modelsIn } from "./catalogue.ts";
import { answerChat, chunks, completion, parseChat } from "./chat.ts";
import { answerEmbeddings, embeddingTokens, parseEmbeddings } from "./embeddings.ts";
import { OpenAiError, renderOpenAi } from "./errors.ts";
import { TokenLimits } from "./limits.ts";

export { accountExists } from "../cognitive/state.ts";

type Route = { Params: { deployment?: string; model?: string }; Querystring: { "api-version"?: string } };

/** An operation of the model's API. */
const operations = {
  chat: {
    name: "ChatCompletions_Create",
    path: "chat/completions",
    action: "deployments/chat/completions/action",
    called: "chatCompletion",
  },
  embeddings: {
    name: "Embeddings_Create",
    path: "embeddings",
    action: "deployments/embeddings/action",
    called: "embeddings",
  },
  completions: {
    name: "Completions_Create",
    path: "completions",
    action: "deployments/completions/action",
    called: "completion",
  },
} as const;
type OperationName = keyof typeof operations;

/** A request for a deployment that is there and can do what is asked. */
interface Call {
  readonly deployment: Resource;
  readonly model: Model;
  readonly apiVersion: string;
}

/**
 * `{account}.openai.azure.com` and `{account}.cognitiveservices.azure.com`: the models of every account; which one is
 * told by the host name. Both ways of asking are served: a deployment in the path (with an API version), and
 * `/openai/v1`, where the body's `model` names the deployment.
 */
export function createOpenAi(cloud: Cloud): Service {
  const app = createService(cloud, { notFound, render: renderOpenAi });
  const limits = new TokenLimits(cloud);

  app.addHook("onSend", async (request, reply) => {
    reply.header("apim-request-id", request.id);
  });

  const open = async (request: FastifyRequest<Route>, name: OperationName): Promise<Call> => {
    const operation = operations[name];
    const account = await admit(cloud, request, {
      action: operation.action,
      operation: `POST /openai/deployments/{deployment-id}/${operation.path}`,
    });
    const inPath = request.params.deployment;
    if (inPath !== undefined) requireApiVersion(request);
    const wanted = inPath ?? (request.body as { model?: unknown } | null | undefined)?.model;
    if (typeof wanted !== "string" || wanted === "") {
      throw new OpenAiError("you must provide a model parameter", { param: "model" });
    }
    const deployment = requireDeployment(cloud, account, wanted);
    const { name: modelName, version } = propertiesOf(deployment).model as { name: string; version: string };
    const model = findModel(modelName, version);
    if (model === undefined) throw new Error(`the catalogue has no model ${modelName} ${version}`);
    if (model.task !== name) {
      throw new CloudError(
        400,
        "OperationNotSupported",
        `The ${operation.called} operation does not work with the specified model, ${model.name}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`,
      );
    }
    return { deployment, model, apiVersion: request.query["api-version"] ?? "v1" };
  };

  const chat = async (request: FastifyRequest<Route>, reply: FastifyReply) => {
    const { deployment, model, apiVersion } = await open(request, "chat");
    const asked = parseChat(request.body, model);
    const answer = answerChat(asked, deployment.name, model);
    reply.headers(
      limits.spend(deployment, answer.usage.total_tokens, { operation: operations.chat.name, apiVersion }),
    );
    reply.header("x-ms-region", deploymentHiddenOf(deployment).location);
    const created = cloud.clock.seconds();
    if (asked.stream !== true) return completion(answer, model, created);
    const includeUsage = asked.stream_options?.include_usage === true;
    return reply
      .header("content-type", "text/event-stream; charset=utf-8")
      .send(Readable.from(chunks(answer, model, created, includeUsage)));
  };

  const embeddings = async (request: FastifyRequest<Route>, reply: FastifyReply) => {
    const { deployment, model, apiVersion } = await open(request, "embeddings");
    const asked = parseEmbeddings(request.body, model);
    reply.headers(
      limits.spend(deployment, embeddingTokens(asked), { operation: operations.embeddings.name, apiVersion }),
    );
    return answerEmbeddings(asked, model);
  };

  // No model of the catalogue still completes plain prompts; the route says so as Azure does.
  const completions = async (request: FastifyRequest<Route>) => {
    await open(request, "completions");
  };

  for (const base of ["/openai/deployments/:deployment", "/openai/v1"]) {
    app.post<Route>(`${base}/chat/completions`, chat);
    app.post<Route>(`${base}/embeddings`, embeddings);
    app.post<Route>(`${base}/completions`, completions);
  }
  listRoutes(app, cloud);
  return app;
}

/** What an account can use and what it has deployed. */
function listRoutes(app: Service, cloud: Cloud): void {
  const models = async (request: FastifyRequest<Route>) => {
    const account = await admit(cloud, request, { action: "models/read", operation: "GET /openai/models" });
    if (!request.originalUrl.toLowerCase().startsWith("/openai/v1/")) requireApiVersion(request);
    return modelsIn(account.location ?? "").map(showModel);
  };
  const oneModel = async (request: FastifyRequest<Route>) => {
    const found = (await models(request)).find((each) => each.id === request.params.model);
    if (found === undefined) throw notFound();
    return found;
  };
  for (const base of ["/openai/models", "/openai/v1/models"]) {
    app.get<Route>(base, async (request) => ({ object: "list", data: await models(request) }));
    app.get<Route>(`${base}/:model`, oneModel);
  }

  const intent = { action: "deployments/read", operation: "GET /openai/deployments" };
  app.get<Route>("/openai/deployments", async (request) => {
    const account = await admit(cloud, request, intent);
    requireApiVersion(request);
    const live = cloud.resources
      .under(account.id)
      .filter((each) => each.type === deploymentType && deploymentHiddenOf(each).live);
    return { object: "list", data: live.map((each) => showDeployment(each)) };
  });
  app.get<Route>("/openai/deployments/:deployment", async (request) => {
    const account = await admit(cloud, request, intent);
    requireApiVersion(request);
    return showDeployment(requireDeployment(cloud, account, request.params.deployment ?? ""));
  });
}

/** Without an API version, or with a malformed one, there is nothing at the path. */
function requireApiVersion(request: FastifyRequest<Route>): void {
  if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(request.query["api-version"] ?? "")) throw notFound();
}

function requireDeployment(cloud: Cloud, account: Resource, name: string): Resource {
  const found = cloud.resources.get(`${account.id}/deployments/${name}`);
  if (found !== undefined && deploymentHiddenOf(found).live) return found;
  throw new CloudError(
    404,
    "DeploymentNotFound",
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
  );
}

function showModel(model: Model) {
  const chat = model.task === "chat";
  const retires = Math.floor(Date.parse(`${model.retires}T00:00:00Z`) / 1000);
  return {
    id: `${model.name}-${model.version}`,
    object: "model",
    status: "succeeded",
    lifecycle_status:
      model.lifecycle === "GenerallyAvailable" ? "generally-available" : model.lifecycle.toLowerCase(),
    capabilities: {
      fine_tune: false,
      inference: true,
      completion: false,
      chat_completion: chat,
      embeddings: !chat,
    },
    deprecation: { inference: retires },
  };
}

function showDeployment(deployment: Resource): object {
  const { model } = propertiesOf(deployment) as { model: { name: string } };
  return {
    id: deployment.name,
    object: "deployment",
    model: model.name,
    owner: "organization-owner",
    status: "succeeded",
    scale_settings: { scale_type: "standard" },
    created_at: Math.floor(deployment.createdAt / 1000),
  };
}
