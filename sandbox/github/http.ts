import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { createService, headerOf, pathOf, type Service } from "../core/service.ts";
import { type Access, accessIn, reaches } from "./accounts.ts";
import { errorBody, GitHubError, notFound, unprocessable } from "./errors.ts";
import type { GitStore } from "./git-store.ts";
import { RateLimits } from "./rate-limits.ts";
import type { Repositories, Repository } from "./state.ts";
import { type Viewer, viewerOf } from "./tokens.ts";

/** What every part of the sandbox's GitHub works on. */
export interface GitHub {
  readonly cloud: Cloud;
  readonly repositories: Repositories;
  readonly git: GitStore;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route's page of the REST reference, such as `repos/repos#get-a-repository`. */
    docs?: string;
    /** What the route needs in its repository. @default read to read, admin for the rest */
    needs?: Access;
  }
  interface FastifyRequest {
    /** Who asks; undefined for nobody in particular. */
    viewer: Viewer | undefined;
    /** The repository that the path names. */
    repository: Repository;
  }
}

export const apiHost = "api.github.com";
const knownVersions = ["2022-11-28", "2026-03-10"];

/** `api.github.com` without its routes: who asks, how often, of which repository, and how an answer is labelled. */
export function createApi(github: GitHub): Service {
  const { cloud } = github;
  const limits = new RateLimits(cloud);
  const api = createService(cloud, {
    notFound: () => notFound(),
    render: (error, request) => errorBody(error, request.routeOptions.config?.docs),
    identify: (request) => answerHeaders(request.id),
    rewrite: (url) => byId(github, url),
    bodyLimit: 100 * 1024 * 1024,
  });
  // curl calls JSON a form unless told otherwise, and GitHub takes it.
  api.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch {
      done(new GitHubError(400, "Problems parsing JSON"));
    }
  });
  api.decorateRequest("viewer", undefined);
  api.decorateRequest("repository");
  api.addHook("onRequest", async (request, reply) => {
    if (headerOf(request, "user-agent") === undefined) {
      throw new GitHubError(
        403,
        "Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.",
      );
    }
    const version = headerOf(request, "x-github-api-version") ?? knownVersions[0];
    if (version === undefined || !knownVersions.includes(version)) {
      throw new GitHubError(
        400,
        `${version} is not a supported version of the API. Supported: ${knownVersions.join(", ")}.`,
      );
    }
    reply.header("x-github-api-version-selected", version);
    request.viewer = authenticate(cloud, request);
    if (pathOf(request).toLowerCase() !== "/rate_limit") reply.headers(limits.take(request.viewer));
    else reply.headers(limits.headers(request.viewer));
    if (request.viewer !== undefined)
      reply.header("x-oauth-scopes", "admin:org, delete_repo, repo, workflow");
  });
  api.addHook("preHandler", async (request, reply) => {
    const params = request.params as { owner?: string; repo?: string };
    if (params.owner === undefined || params.repo === undefined) return;
    const found = requireRepository(github, request, reply, params.owner, params.repo);
    if (found === undefined) return reply;
    request.repository = found;
  });
  api.addHook("onSend", async (request, reply, payload) => withTag(request, reply, payload));
  api.get("/rate_limit", { config: { docs: "rate-limit/rate-limit" } }, async (request) =>
    limits.report(request.viewer),
  );
  return api;
}

/** Who sent the token, which octokit sends as `token`, curl as `Bearer`, and git by HTTP basic as a password. */
export function authenticate(cloud: Cloud, request: FastifyRequest): Viewer | undefined {
  const token = tokenOf(request.headers.authorization);
  if (token === undefined) return undefined;
  const viewer = viewerOf(cloud, token);
  if (viewer === undefined) throw new GitHubError(401, "Bad credentials", { docs: "" });
  return viewer;
}

function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [scheme = "", value = ""] = header.split(/\s+/, 2);
  if (scheme.toLowerCase() !== "basic") return value;
  const decoded = Buffer.from(value, "base64").toString();
  const at = decoded.indexOf(":");
  const password = decoded.slice(at + 1);
  return password === "" || password === "x-oauth-basic" ? decoded.slice(0, at) : password;
}

export function requireViewer(request: FastifyRequest): Viewer {
  if (request.viewer === undefined) throw new GitHubError(401, "Requires authentication");
  return request.viewer;
}

/** What the caller may do there; a job's token reaches its own repository and what is public. */
export function accessOf(viewer: Viewer | undefined, repository: Repository): Access {
  const open: Access = repository.visibility === "public" ? "read" : "none";
  if (viewer === undefined) return open;
  const { account, job } = viewer;
  const has =
    job === undefined
      ? accessIn(repository.owner, account.login)
      : job.repositoryId === repository.id
        ? job.access
        : "none";
  return reaches(has, open) ? has : open;
}

/** @throws GitHubError 404 for what the caller may not see, 403 for what it may see and not change */
export function checkAccess(request: FastifyRequest, repository: Repository, needed: Access): void {
  const has = accessOf(request.viewer, repository);
  if (!reaches(has, "read")) throw notFound();
  if (!reaches(has, needed)) {
    if (request.viewer === undefined) throw new GitHubError(401, "Requires authentication");
    const why =
      request.viewer.job === undefined
        ? "Must have admin rights to Repository."
        : "Resource not accessible by integration";
    throw new GitHubError(403, why);
  }
}

function requireRepository(
  github: GitHub,
  request: FastifyRequest,
  reply: FastifyReply,
  owner: string,
  name: string,
): Repository | undefined {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const found = github.repositories.byName(owner, name);
  if (found === undefined) {
    const moved = github.repositories.byFormerName(owner, name);
    if (moved === undefined || !reaches(accessOf(request.viewer, moved), "read")) throw notFound();
    const rest = request.originalUrl.split("/").slice(4).join("/");
    const location = `https://${apiHost}/repositories/${moved.id}${rest === "" ? "" : `/${rest}`}`;
    reply.code(isRead ? 301 : 307).header("location", location);
    reply.send({
      message: "Moved Permanently",
      url: location,
      documentation_url: "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api",
    });
    return undefined;
  }
  checkAccess(request, found, request.routeOptions.config.needs ?? (isRead ? "read" : "admin"));
  const unarchives = request.routeOptions.url === "/repos/:owner/:repo";
  if (!isRead && found.settings.archived && !unarchives) {
    throw new GitHubError(403, "Repository was archived so is read-only.");
  }
  return found;
}

/** `/repositories/{id}/…` is `/repos/{owner}/{repo}/…`, whatever the name is now. */
function byId(github: GitHub, url: string): string {
  const match = /^\/repositories\/(\d+)(.*)$/.exec(url);
  if (match === null) return url;
  const found = github.repositories.byId(Number(match[1]));
  return found === undefined ? url : `/repos/${found.owner}/${found.name}${match[2]}`;
}

function answerHeaders(id: string): Record<string, string> {
  const hex = id.replaceAll("-", "").toUpperCase();
  return {
    "x-github-request-id": [hex.slice(0, 4), hex.slice(4, 10), hex.slice(10, 17), hex.slice(17, 24)].join(
      ":",
    ),
    "x-github-media-type": "github.v3; format=json",
    server: "github.com",
    "access-control-allow-origin": "*",
  };
}

/** Every answer to a GET has a tag by which the next one may be 304. */
function withTag(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (request.method !== "GET" || reply.statusCode !== 200 || typeof payload !== "string") return payload;
  const tag = `W/"${createHash("sha256").update(payload).digest("hex")}"`;
  reply.header("etag", tag);
  reply.header("cache-control", "private, max-age=60, s-maxage=60");
  const known = headerOf(request, "if-none-match")?.split(",") ?? [];
  if (!known.some((each) => each.trim().replace(/^W\//, "") === tag.slice(2))) return payload;
  reply.code(304).removeHeader("content-type").removeHeader("content-length");
  return "";
}

/** One page of a list, with `Link` to the others. */
export function paginate<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  items: readonly T[],
  sizes: { readonly usual: number; readonly most: number } = { usual: 30, most: 100 },
): T[] {
  const url = new URL(request.originalUrl, `https://${apiHost}`);
  const number = (name: string) => Number.parseInt(url.searchParams.get(name) ?? "", 10);
  const size = Math.min(sizes.most, number("per_page") > 0 ? number("per_page") : sizes.usual);
  const page = number("page") > 0 ? number("page") : 1;
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    url.searchParams.set("page", String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
    ...(page > 1 ? [link(1, "first")] : []),
  ];
  if (links.length > 0) reply.header("link", links.join(", "));
  return items.slice((page - 1) * size, page * size);
}

/** A body by its schema. @throws GitHubError 422 `Invalid request.` with what is wrong */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  // octokit sends an empty JSON string where it has nothing to say.
  const parsed = schema.safeParse(body === "" ? {} : (body ?? {}));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const at = issue.path.join("/");
    const missing = issue.code === "invalid_type" && valueAt(body, issue.path) === undefined;
    return missing && at !== ""
      ? `"${at}" wasn't supplied.`
      : `For 'properties/${at}', ${JSON.stringify(valueAt(body, issue.path) ?? null)} is not valid: ${issue.message}`;
  });
  throw unprocessable(`Invalid request.\n\n${problems.join("\n")}`);
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    body,
  );
}

/** A number in a path. @throws GitHubError 404 when it is none */
export function idOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw notFound();
  return Number(text);
}
