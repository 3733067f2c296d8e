import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from "fastify";
import type { Cloud } from "./cloud.ts";
import { CloudError } from "./errors.ts";

/** One host (or family of hosts) of the cloud: a Fastify application without a listener of its own. */
export type Service = FastifyInstance;

export interface ServiceOptions {
  /** What an unknown path answers. */
  readonly notFound: (request: FastifyRequest) => CloudError;
  /** Body of an error. @default ARM's shape */
  readonly render?: (error: CloudError, request: FastifyRequest) => unknown;
  /** Rewrites a path before routing, for routes that no router can express. */
  readonly rewrite?: (url: string) => string;
  /** Headers of every answer that tell the request apart. @default Azure's `x-ms-request-id` and its kin */
  readonly identify?: (request: FastifyRequest) => Readonly<Record<string, string>>;
  /** Largest body, in bytes. @default 64 MiB */
  readonly bodyLimit?: number;
}

/**
 * Makes a service with what all hosts of the cloud share: due operations are completed first, injected faults strike,
 * paths match without regard to case, errors have the cloud's shape, and nothing unknown is answered with success.
 */
export function createService(cloud: Cloud, options: ServiceOptions): Service {
  const rewrite = options.rewrite ?? ((url: string) => url);
  const serverOptions: FastifyServerOptions = {
    logger: false,
    genReqId: () => randomUUID(),
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: 500,
    },
    bodyLimit: options.bodyLimit ?? 64 * 1024 * 1024,
    rewriteUrl: (request) => rewrite(request.url ?? "/"),
  };
  const identify = options.identify ?? azureIds;
  const app = fastify(serverOptions);
  const render = options.render ?? ((error: CloudError) => error.body());
  app.decorateRequest("answerLost", false);

  // Some clients send a JSON content type with an empty body (POST listKeys, DELETE).
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(
        new CloudError(
          400,
          "InvalidRequestContent",
          "The request content was invalid and could not be deserialized.",
        ),
      );
    }
  });

  app.addHook("onRequest", async (request, reply) => {
    cloud.operations.settle();
    reply.headers(identify(request));
    const latency = cloud.timings().request;
    if (latency > 0) await delay(latency / cloud.clock.scale);
    for (const fault of cloud.faults.strike(request.method, request.host, pathOf(request))) {
      if (fault.effect === "delay") await fault.wait();
      else if (fault.effect === "lost") request.answerLost = true;
      else throw fault.error;
    }
  });
  // "Lost" means after commit: the handler ran, the answer never arrives.
  app.addHook("onSend", async (request, reply, payload) => {
    if (request.answerLost) {
      reply.hijack();
      request.raw.socket.destroy();
    }
    return payload;
  });
  app.setNotFoundHandler((request) => {
    throw options.notFound(request);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const known = asCloudError(error);
    if (known.status === 413) await drain(request);
    return reply.code(known.status).headers(known.headers).send(render(known, request));
  });
  return app;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The answer to this request is to be lost on the way (an injected fault). */
    answerLost: boolean;
  }
}

function azureIds(request: FastifyRequest): Record<string, string> {
  const clientRequestId = headerOf(request, "x-ms-client-request-id");
  return {
    "x-ms-request-id": request.id,
    "x-ms-correlation-request-id": headerOf(request, "x-ms-correlation-request-id") ?? request.id,
    ...(clientRequestId === undefined ? {} : { "x-ms-client-request-id": clientRequestId }),
    "cache-control": "no-cache",
  };
}

function asCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error;
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (status === 413) {
    return new CloudError(413, "RequestContentTooLarge", "The request content exceeds the maximum size.");
  }
  if (status >= 400 && status < 500) return new CloudError(status, "InvalidRequestContent", message);
  // A fault of the sandbox itself: its own log has the stack, the client gets the words.
  console.error(error);
  return new CloudError(500, "InternalServerError", `The sandbox failed: ${message}`);
}

/** A client that is still sending hears no answer: what is too long is read to its end, within reason. */
async function drain(request: FastifyRequest): Promise<void> {
  let left = 1024 ** 3;
  for await (const chunk of request.raw) {
    left -= (chunk as Buffer).length;
    if (left < 0) break;
  }
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The request's path as the client sent it, without query. */
export function pathOf(request: FastifyRequest): string {
  const url = request.originalUrl;
  const at = url.indexOf("?");
  return at === -1 ? url : url.slice(0, at);
}

/** The bearer token of a request; undefined when there is none. */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

export type Reply = FastifyReply;
