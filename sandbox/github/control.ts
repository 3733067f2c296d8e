import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { CloudError } from "../core/errors.ts";
import type { GitHub } from "./http.ts";
import { idTokenSchema, issueIdToken } from "./oidc.ts";
import { issueJobToken } from "./tokens.ts";

const jobTokenSchema = z.strictObject({
  repository: idTokenSchema.shape.repository,
  access: z.enum(["read", "write"]).default("read"),
});

/** What the control API can do for who stands for a job, since the sandbox runs none. */
export function gitHubControls(app: FastifyInstance, github: GitHub): void {
  app.post("/control/github/id-token", async (request) =>
    issueIdToken(github, idTokenSchema.parse(request.body ?? {})),
  );
  app.post("/control/github/job-token", async (request) => {
    const { repository, access } = jobTokenSchema.parse(request.body ?? {});
    const [owner = "", name = ""] = repository.split("/");
    const found = github.repositories.byName(owner, name);
    if (found === undefined) {
      throw new CloudError(
        404,
        "RepositoryNotFound",
        `The sandbox's GitHub has no repository '${repository}'.`,
      );
    }
    return { token: issueJobToken(github.cloud, found, access) };
  });
}
