import { timingSafeEqual } from "node:crypto";
import path from "node:path";
import fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { faultRuleSchema } from "../core/faults.ts";
import { scanForLeaks } from "../core/leak-scan.ts";
import { settingsPatchSchema } from "../core/settings.ts";
import type { Handler } from "./hosts.ts";

/** What the control API can do beyond the cloud's own state. */
export interface Controls {
  status(): object;
  stop(): void;
  reset(): Promise<void>;
  /** The ports of the providers, by name. */
  providers(clientId: string, projectDir: string): Promise<object>;
  /** What the sites have answered so far. */
  counters(): object;
  /** Adds what single services let be controlled. */
  services(app: FastifyInstance): void;
}

const clockSchema = z.union([
  z.strictObject({ advanceMs: z.number().int().min(0) }),
  z.strictObject({ scale: z.number().gt(0).max(100_000) }),
]);
const tokenSchema = z.strictObject({
  principal: z.string().min(1).default("owner"),
  audience: z.string().min(1).default("https://management.azure.com"),
  seconds: z.number().int().min(-86_400).max(86_400).default(3600),
});
const providersSchema = z.strictObject({ clientId: z.string().min(1), projectDir: z.string().min(1) });
const pathsSchema = z.strictObject({ paths: z.array(z.string().min(1)).min(1) });

/** The sandbox's own API, on the front door's address below `/control`, for who can read the daemon's file. */
export function createControl(cloud: Cloud, token: string, controls: Controls): Handler {
  const app: FastifyInstance = fastify({ logger: false, forceCloseConnections: true });
  const expected = Buffer.from(`Bearer ${token}`);
  app.addHook("onRequest", async (request) => {
    const given = Buffer.from(request.headers.authorization ?? "");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new CloudError(401, "Unauthorized", "The control API takes only the token in the daemon's file.");
    }
    cloud.operations.settle();
  });
  app.setNotFoundHandler((request) => {
    throw new CloudError(404, "NotFound", `The control API has nothing at ${request.method} ${request.url}.`);
  });
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof CloudError) return reply.code(error.status).send(error.body());
    if (error instanceof z.ZodError) {
      const message = error.issues
        .map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`)
        .join("; ");
      return reply.code(400).send({ error: { code: "InvalidArgument", message } });
    }
    console.error(error);
    const message = error instanceof Error ? error.message : String(error);
    return reply.code(500).send({ error: { code: "SandboxFailed", message } });
  });

  app.get("/control/status", async () => controls.status());
  app.post("/control/stop", async () => {
    controls.stop();
    return { stopping: true };
  });
  app.post("/control/reset", async () => {
    await controls.reset();
    return controls.status();
  });
  app.get("/control/clock", async () => clock(cloud));
  app.post("/control/clock", async (request) => {
    const change = clockSchema.parse(request.body);
    try {
      if ("scale" in change) cloud.clock.setScale(change.scale);
      else cloud.clock.advance(change.advanceMs);
    } catch (error) {
      if (error instanceof RangeError) throw new CloudError(400, "InvalidArgument", error.message);
      throw error;
    }
    cloud.operations.settle();
    return clock(cloud);
  });
  app.get("/control/faults", async () => ({ faults: cloud.faults.list() }));
  app.post("/control/faults", async (request) => cloud.faults.add(faultRuleSchema.parse(request.body)));
  app.delete("/control/faults", async () => ({ removed: cloud.faults.remove() }));
  app.delete<{ Params: { id: string } }>("/control/faults/:id", async (request) => {
    const removed = cloud.faults.remove(request.params.id);
    if (removed === 0)
      throw new CloudError(404, "FaultNotFound", `There is no fault rule '${request.params.id}'.`);
    return { removed };
  });
  app.get("/control/settings", async () => cloud.settings());
  app.post("/control/settings", async (request) =>
    cloud.changeSettings(settingsPatchSchema.parse(request.body)),
  );
  app.get("/control/counters", async () => controls.counters());
  app.post("/control/token", async (request) => {
    const wanted = tokenSchema.parse(request.body ?? {});
    const principal =
      cloud.principals.byName(wanted.principal) ?? cloud.principals.byClientId(wanted.principal);
    if (principal === undefined) {
      const known = cloud.principals.list().map((each) => each.name);
      throw new CloudError(
        404,
        "PrincipalNotFound",
        `There is no principal '${wanted.principal}'. There are: ${known.join(", ")}.`,
      );
    }
    const accessToken = await cloud.tokens.issue(principal, wanted.audience, wanted.seconds);
    cloud.mint.rememberToken(accessToken, principal.name);
    return { accessToken, expiresOn: new Date(Date.now() + wanted.seconds * 1000).toISOString() };
  });
  app.post("/control/providers", async (request) => {
    const { clientId, projectDir } = providersSchema.parse(request.body);
    return controls.providers(clientId, projectDir);
  });
  app.post("/control/leak-scan", async (request) => {
    const { paths } = pathsSchema.parse(request.body);
    try {
      // The cloud's own memory holds the secrets by right.
      return await scanForLeaks(paths, cloud.mint.all(), (file) => isOwn(cloud.dataDir, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new CloudError(400, "PathNotFound", error instanceof Error ? error.message : String(error));
    }
  });
  controls.services(app);
  const routed = app.ready();
  return (request, response) => void routed.then(() => app.routing(request, response));
}

/**
 * Files in which the sandbox keeps secrets because it is the cloud: its database, its principals' files, and what the
 * Kubernetes control plane has, logs aside.
 */
function isOwn(dataDir: string, file: string): boolean {
  const relative = path.relative(dataDir, path.resolve(file));
  return /^(cloud\.sqlite(-\w+)?|daemon\.json|principals\/.*|kubernetes\/(?!logs\/).*)$/.test(relative);
}

function clock(cloud: Cloud): object {
  return { now: cloud.clock.iso(), scale: cloud.clock.scale };
}
