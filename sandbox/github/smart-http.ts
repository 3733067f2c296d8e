import { spawn } from "node:child_process";
import { createGunzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { CloudError } from "../core/errors.ts";
import { createService, headerOf, type Service } from "../core/service.ts";
import { accessLevels, reaches } from "./accounts.ts";
import { GitHubError } from "./errors.ts";
import { gitEnvironment, noGit } from "./git-store.ts";
import { accessOf, authenticate, type GitHub } from "./http.ts";
import { commandsOf, flush, pktLine, type RefCommand, refusedReport } from "./pkt-line.ts";
import { changedFiles, pushed } from "./pushes.ts";
import { listRefs } from "./refs.ts";
import { contentOf, releasesOf } from "./releases-state.ts";
import { rulesInForce } from "./rules-in-force.ts";
import { fullName, type Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

const services = ["git-upload-pack", "git-receive-pack"] as const;
type GitService = (typeof services)[number];

type Route = { Params: { owner: string; repo: string }; Querystring: { service?: string } };

/** Largest push, in bytes. */
const largestPush = 512 * 1024 * 1024;

/**
 * `github.com`, as git sees it: the smart HTTP protocol, answered by the machine's own git. Everything else of the site
 * is for people, and not served.
 */
export function createGitHubWeb(github: GitHub): Service {
  const web = createService(github.cloud, {
    notFound: () =>
      new CloudError(404, "NotFound", "Not Found: the sandbox serves git at github.com, no pages."),
    render: (error) => `${error.message}\n`,
    identify: (request) => ({ "x-github-request-id": request.id, server: "github.com" }),
    bodyLimit: largestPush,
  });
  for (const service of services) {
    const types = [`application/x-${service}-request`];
    web.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
  }

  web.get<Route>("/:owner/:repo/info/refs", async (request, reply) => {
    const service = services.find((each) => each === request.query.service);
    if (service === undefined) {
      throw new GitHubError(403, "Please upgrade your git client: only the smart HTTP protocol is served.");
    }
    const { repository } = open(github, request, service);
    await github.git.ensure(repository.id, repository.defaultBranch);
    const advertised = await run(github, request, repository, service, ["--advertise-refs"], undefined);
    const announced = pktLine(`# service=${service}\n`);
    return noCache(reply)
      .type(`application/x-${service}-advertisement`)
      .send(Buffer.concat([announced, flush, advertised]));
  });
  web.post<Route>("/:owner/:repo/git-upload-pack", async (request, reply) => {
    const { repository } = open(github, request, "git-upload-pack");
    await github.git.ensure(repository.id, repository.defaultBranch);
    const answer = await run(github, request, repository, "git-upload-pack", [], await bodyOf(request));
    return noCache(reply).type("application/x-git-upload-pack-result").send(answer);
  });
  web.post<Route>("/:owner/:repo/git-receive-pack", async (request, reply) => {
    const { repository, viewer } = open(github, request, "git-receive-pack");
    const body = await bodyOf(request);
    const answer = await github.git.inTurn(repository.id, () =>
      receive(github, request, repository, viewer, body),
    );
    return noCache(reply).type("application/x-git-receive-pack-result").send(answer);
  });
  web.get<Route & { Params: { tag: string; name: string } }>(
    "/:owner/:repo/releases/download/:tag/:name",
    async (request, reply) => {
      const { repository } = open(github, request, "git-upload-pack");
      const { tag, name } = request.params;
      const release = releasesOf(github, repository).find((each) => !each.draft && each.tag === tag);
      const asset = release?.assets.find((each) => each.name === name);
      if (asset === undefined) throw new GitHubError(404, "Not Found");
      reply.header("content-disposition", `attachment; filename=${JSON.stringify(asset.name)}`);
      return reply.type(asset.contentType).send(contentOf(github, repository, asset));
    },
  );
  return web;
}

/** The repository that is meant, if the caller may do this there. git asks without credentials first. */
function open(
  github: GitHub,
  request: FastifyRequest<Route>,
  service: GitService,
): { repository: Repository; viewer: Viewer | undefined } {
  const challenge = { headers: { "www-authenticate": 'Basic realm="GitHub"' } };
  let viewer: Viewer | undefined;
  try {
    viewer = authenticate(github.cloud, request);
  } catch {
    throw new GitHubError(
      401,
      "Invalid username or token. Password authentication is not supported.",
      challenge,
    );
  }
  const name = request.params.repo.replace(/\.git$/i, "");
  const { owner } = request.params;
  const { repositories } = github;
  const repository = repositories.byName(owner, name) ?? repositories.byFormerName(owner, name);
  const has = repository === undefined ? accessLevels[0] : accessOf(viewer, repository);
  const needed = service === "git-receive-pack" ? "write" : "read";
  if (repository !== undefined && reaches(has, needed)) {
    if (needed === "write" && repository.settings.archived) {
      throw new GitHubError(403, "This repository was archived so it is read-only.");
    }
    return { repository, viewer };
  }
  if (viewer === undefined) throw new GitHubError(401, "Authentication required.", challenge);
  if (!reaches(has, "read")) throw new GitHubError(404, "Repository not found.");
  throw new GitHubError(403, `Permission to ${owner}/${name}.git denied to ${viewer.account.login}.`);
}

/** Takes a push, unless a ruleset forbids part of it, and starts what waits for one. */
async function receive(
  github: GitHub,
  request: FastifyRequest,
  repository: Repository,
  viewer: Viewer | undefined,
  body: Buffer,
): Promise<Buffer> {
  await github.git.ensure(repository.id, repository.defaultBranch);
  const { commands, capabilities } = commandsOf(body);
  const refused = commands.flatMap((command) => {
    const reason = refusal(github, repository, command);
    return reason === undefined ? [] : [{ ref: command.ref, reason }];
  });
  if (refused.length > 0) return refusedReport(commands, refused, capabilities);
  const before = await refsOf(github, repository);
  const answer = await run(github, request, repository, "git-receive-pack", [], body);
  const after = await refsOf(github, repository);
  const moved = commands.filter(({ ref }) => after.get(ref) !== before.get(ref));
  if (moved.length === 0) return answer;
  if (viewer?.job !== undefined && (await changesWorkflows(github, repository, moved, before, after))) {
    await putBack(github, repository, moved, before);
    const reason =
      "refusing to allow a GitHub App to create or update a workflow without `workflows` permission";
    return refusedReport(
      commands,
      moved.map(({ ref }) => ({ ref, reason })),
      capabilities,
    );
  }
  await adoptFirstBranch(github, repository, moved, after);
  github.repositories.update(repository.id, { pushedAt: github.cloud.clock.now() });
  for (const { ref } of moved) {
    const sha = after.get(ref);
    if (sha === undefined || viewer === undefined) continue;
    await pushed(github, repository, viewer, { ref, before: before.get(ref), after: sha });
  }
  return answer;
}

/** What a push changes is known once git has it. */
async function changesWorkflows(
  github: GitHub,
  repository: Repository,
  moved: readonly RefCommand[],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Promise<boolean> {
  for (const { ref } of moved) {
    const sha = after.get(ref);
    if (sha === undefined) continue;
    const main = before.get(`refs/heads/${repository.defaultBranch}`);
    const push = { ref, before: before.get(ref) ?? main, after: sha };
    const files = await changedFiles(github, repository, push);
    if (files.some((file) => file.startsWith(".github/workflows/"))) return true;
  }
  return false;
}

async function putBack(
  { git }: GitHub,
  repository: Repository,
  moved: readonly RefCommand[],
  before: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { ref } of moved) {
    const sha = before.get(ref);
    await git.run(repository.id, sha === undefined ? ["update-ref", "-d", ref] : ["update-ref", ref, sha]);
  }
}

async function refsOf(github: GitHub, repository: Repository): Promise<Map<string, string>> {
  return new Map((await listRefs(github, repository)).map(({ name, sha }) => [name, sha]));
}

/** The first branch that an empty repository gets is its default branch, whatever it is called. */
async function adoptFirstBranch(
  { git, repositories }: GitHub,
  repository: Repository,
  moved: readonly RefCommand[],
  after: ReadonlyMap<string, string>,
): Promise<void> {
  if (after.has(`refs/heads/${repository.defaultBranch}`)) return;
  const first = moved.find(({ ref }) => ref.startsWith("refs/heads/") && after.has(ref));
  if (first === undefined) return;
  await git.run(repository.id, ["symbolic-ref", "HEAD", first.ref]);
  repositories.update(repository.id, { defaultBranch: first.ref.slice("refs/heads/".length) });
}

function refusal(
  github: GitHub,
  repository: Repository,
  { ref, before, after }: RefCommand,
): string | undefined {
  const types = new Set(rulesInForce(github, repository, ref).map(({ type }) => type));
  const rule = "push declined due to repository rule violations";
  if (after === undefined) return types.has("deletion") ? rule : undefined;
  if (before === undefined) return types.has("creation") ? rule : undefined;
  return types.has("update") || types.has("pull_request") ? rule : undefined;
}

/** Runs one of git's own services on a whole request. */
function run(
  github: GitHub,
  request: FastifyRequest,
  repository: Repository,
  service: GitService,
  args: readonly string[],
  input: Buffer | undefined,
): Promise<Buffer> {
  const protocol = headerOf(request, "git-protocol");
  const guarded = rulesThatRewind(github, repository) ? ["-c", "receive.denyNonFastForwards=true"] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(
      "git",
      [
        ...guarded,
        "-c",
        "receive.autogc=false",
        "-c",
        "uploadpack.allowAnySHA1InWant=true",
        service.slice("git-".length),
        "--stateless-rpc",
        ...args,
        github.git.dir(repository.id),
      ],
      {
        env: {
          ...gitEnvironment(),
          ...(protocol !== undefined && /^[\w=:.-]{1,200}$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {}),
        },
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    const out: Buffer[] = [];
    const said: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    child.stdin.on("error", () => {});
    child.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? noGit() : error));
    child.on("close", (code) => {
      // A service that refuses says so in what it sends; only one without any answer has failed.
      if (code === 0 || out.length > 0) return resolve(Buffer.concat(out));
      const why = Buffer.concat(said).toString("utf8").trim();
      reject(new GitHubError(500, `git ${service} failed in ${fullName(repository)}: ${why}`));
    });
    child.stdin.end(input ?? "");
  });
}

/** Whether some branch must not be rewound; git itself knows this only of all of them. */
function rulesThatRewind(github: GitHub, repository: Repository): boolean {
  const rules = rulesInForce(github, repository, `refs/heads/${repository.defaultBranch}`);
  return rules.some(({ type }) => type === "non_fast_forward");
}

async function bodyOf(request: FastifyRequest): Promise<Buffer> {
  const raw = (request.body ?? request.raw) as NodeJS.ReadableStream;
  const stream = headerOf(request, "content-encoding") === "gzip" ? raw.pipe(createGunzip()) : raw;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += (chunk as Buffer).length;
    if (size > largestPush)
      throw new GitHubError(413, "This push is too large for the sandbox (512 MiB at most).");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function noCache(reply: FastifyReply): FastifyReply {
  return reply.headers({
    expires: "Fri, 01 Jan 1980 00:00:00 GMT",
    pragma: "no-cache",
    "cache-control": "no-cache, max-age=0, must-revalidate",
  });
}
