import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpClient,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { KilnError } from "../../lib/errors.ts";
import { withoutKeys } from "../../lib/keys/key-material.ts";
import { type Attempt, type Patience, persist } from "../../lib/keys/patience.ts";

/** A deployment site's way of saying where a deployment stands. Source: github.com/projectkudu/kudu, DeployStatus. */
const FAILED = 3;
const SUCCESS = 4;

/** The deployment site of one app. */
export interface DeploymentSite {
  readonly app: string;
  readonly credential: TokenCredential;
  readonly patience: Patience;
  /** @default the SDK's own */
  readonly httpClient?: HttpClient;
}

/**
 * Publishes a zip file to a Function App and waits until it is in place. Signed in by token: no publishing password.
 * @throws KilnError when the site refuses, the deployment fails, or the patience is spent.
 */
export async function publishZip(site: DeploymentSite, zip: Uint8Array): Promise<void> {
  const client = site.httpClient ?? createDefaultHttpClient();
  const pipeline = createPipelineFromOptions({});
  const scopes = "https://management.azure.com/.default";
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential: site.credential, scopes }));
  const base = `https://${site.app}.scm.azurewebsites.net`;
  const send = async (method: "GET" | "POST", path: string, body?: Uint8Array) => {
    const headers = createHttpHeaders(body === undefined ? {} : { "content-type": "application/zip" });
    const request = createPipelineRequest({
      url: base + path,
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return pipeline.sendRequest(client, request);
  };
  const accepted = await persist(`Deploying to ${site.app}`, site.patience, () =>
    attempt(() => send("POST", "/api/publish?type=zip", zip), site.app),
  );
  if (accepted.status !== 202) return;
  await persist(`Deploying to ${site.app}`, site.patience, async () => {
    const answer = await attempt(() => send("GET", "/api/deployments/latest"), site.app);
    return answer.done ? standing(answer.value, site.app) : answer;
  });
}

/** One call of the deployment site; what passes by itself is a reason to wait. */
async function attempt(
  call: () => Promise<PipelineResponse>,
  app: string,
): Promise<Attempt<PipelineResponse>> {
  let response: PipelineResponse;
  try {
    response = await call();
  } catch (error) {
    if (error instanceof RestError && error.statusCode === undefined && error.code === "ENOTFOUND") {
      return { done: false, code: error.code, reason: "the app's deployment site has no address yet" };
    }
    throw error;
  }
  const { status } = response;
  if (status >= 200 && status < 300) return { done: true, value: response };
  const code = `Status${status}`;
  if (status === 409) return { done: false, code, reason: "another deployment is under way" };
  if (status === 404 || status === 502 || status === 503) {
    return { done: false, code, reason: "the app's deployment site is not up yet" };
  }
  throw refused(app, `its deployment site answered with status ${status}`, response);
}

function standing(response: PipelineResponse, app: string): Attempt<undefined> {
  const state = parsed(response.bodyAsText) as { status?: unknown; complete?: unknown } | undefined;
  if (state?.status === FAILED) throw refused(app, "the deployment failed", response);
  if (state?.status === SUCCESS && state.complete !== false) return { done: true, value: undefined };
  return { done: false, code: "DeploymentPending", reason: "the deployment is being put in place" };
}

function refused(app: string, why: string, response: PipelineResponse): KilnError {
  const { message, Message, status_text } = (parsed(response.bodyAsText) ?? {}) as Record<string, unknown>;
  const said = [message, Message, status_text].find((text) => typeof text === "string" && text !== "");
  return new KilnError({
    code: "DeploymentFailed",
    message: `The code could not be deployed to ${app}`,
    cause: typeof said === "string" ? `${why}: ${withoutKeys(said)}` : `${why}.`,
    next: "Check that the deployer may publish to the app (Website Contributor), then run it again.",
  });
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
