import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { accessIn, findAccount, reaches } from "./accounts.ts";
import { commitFiles, treeOf } from "./commits-write.ts";
import { GitHubError, invalid, notFound, unprocessable } from "./errors.ts";
import { accessOf, checkAccess, type GitHub, paginate, parse, requireViewer } from "./http.ts";
import { repositoryBody } from "./repository-body.ts";
import { changeSchema, createSchema, repositoryName, settingsOf, visibilityOf } from "./repository-input.ts";
import { defaultSettings, fullName, type Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

type Route = { Params: { owner: string; repo: string } };

/** Repositories themselves: made, listed, changed, renamed, deleted. */
export function repositoryRoutes(api: Service, github: GitHub): void {
  const { repositories, git, cloud } = github;
  const show = (request: FastifyRequest, repository: Repository) => {
    const from = repository.template;
    const source = from && repositories.byName(from.owner, from.name);
    return repositoryBody(repository, accessOf(request.viewer, repository), source);
  };
  const visible = (request: FastifyRequest, owner?: string) =>
    repositories
      .list()
      .filter((each) => owner === undefined || each.owner === owner)
      .filter((each) => reaches(accessOf(request.viewer, each), "read"))
      .sort((a, b) => a.name.localeCompare(b.name));

  api.post(
    "/user/repos",
    { config: { docs: "repos/repos#create-a-repository-for-the-authenticated-user" } },
    async (request, reply) => {
      const viewer = requireViewer(request);
      return create(request, reply, viewer, viewer.account.login);
    },
  );
  api.post<{ Params: { org: string } }>(
    "/orgs/:org/repos",
    { config: { docs: "repos/repos#create-an-organization-repository" } },
    async (request, reply) => {
      const viewer = requireViewer(request);
      const owner = findAccount(request.params.org);
      if (owner?.type !== "Organization") throw notFound();
      if (viewer.job !== undefined || !reaches(accessIn(owner.login, viewer.account.login), "write")) {
        throw new GitHubError(
          403,
          "You need admin access to the organization before adding a repository to it.",
        );
      }
      return create(request, reply, viewer, owner.login);
    },
  );

  async function create(request: FastifyRequest, reply: FastifyReply, viewer: Viewer, owner: string) {
    const body = parse(createSchema, request.body);
    const made = register(owner, body);
    await git.ensure(made.id, made.defaultBranch);
    if (body.auto_init) {
      const about = body.description ? `\n${body.description}\n` : "";
      await git.inTurn(made.id, () =>
        commitFiles(github, made, viewer, {
          branch: made.defaultBranch,
          message: "Initial commit",
          files: [{ path: "README.md", content: Buffer.from(`# ${made.name}\n${about}`) }],
        }),
      );
    }
    reply.header("location", `https://api.github.com/repos/${fullName(made)}`);
    return reply.code(201).send(show(request, made));
  }

  /** @throws GitHubError 422 when the name is taken or nothing */
  function register(owner: string, body: z.infer<typeof createSchema>, template?: Repository): Repository {
    const name = repositoryName(body.name);
    if (repositories.byName(owner, name) !== undefined) throw nameTaken();
    for (const field of ["gitignore_template", "license_template"] as const) {
      const wanted = body[field];
      if (wanted === undefined || wanted === "") continue;
      const message = `${wanted} is an unknown template: the sandbox has none.`;
      throw creationFailed({ field, code: "custom", message });
    }
    const settings = settingsOf(body, defaultSettings);
    const now = cloud.clock.now();
    freeName(fullName({ owner, name }));
    return repositories.put({
      id: repositories.nextId(),
      owner,
      name,
      formerly: [],
      description: body.description ?? null,
      homepage: body.homepage ?? null,
      visibility: visibilityOf(body) ?? "public",
      settings,
      topics: [],
      defaultBranch: "main",
      securityAndAnalysis: body.security_and_analysis ?? {},
      vulnerabilityAlerts: false,
      ...(template === undefined ? {} : { template: { owner: template.owner, name: template.name } }),
      createdAt: now,
      updatedAt: now,
      pushedAt: now,
      namedAt: now,
    });
  }

  /** A name that someone takes redirects no more. */
  function freeName(name: string): void {
    const wanted = name.toLowerCase();
    for (const each of repositories.list()) {
      if (each.formerly.includes(wanted))
        repositories.put({ ...each, formerly: each.formerly.filter((former) => former !== wanted) });
    }
  }

  api.get(
    "/user/repos",
    { config: { docs: "repos/repos#list-repositories-for-the-authenticated-user" } },
    async (request, reply) => {
      requireViewer(request);
      return paginate(request, reply, visible(request)).map((each) => show(request, each));
    },
  );
  for (const [path, docs] of [
    ["/orgs/:account/repos", "repos/repos#list-organization-repositories"],
    ["/users/:account/repos", "repos/repos#list-repositories-for-a-user"],
  ] as const) {
    api.get<{ Params: { account: string } }>(path, { config: { docs } }, async (request, reply) => {
      const account = findAccount(request.params.account);
      if (account === undefined) throw notFound();
      return paginate(request, reply, visible(request, account.login)).map((each) => show(request, each));
    });
  }

  api.get<Route>(
    "/repos/:owner/:repo",
    { config: { docs: "repos/repos#get-a-repository" } },
    async (request) => show(request, request.repository),
  );
  api.patch<Route>(
    "/repos/:owner/:repo",
    { config: { docs: "repos/repos#update-a-repository" } },
    async (request) => {
      const body = parse(changeSchema, request.body);
      const old = request.repository;
      if (old.settings.archived && body.archived !== false) {
        throw new GitHubError(403, "Repository was archived so is read-only.");
      }
      const renamed = body.name === undefined ? old.name : repositoryName(body.name);
      if (renamed !== old.name) {
        const taken = repositories.byName(old.owner, renamed);
        if (taken !== undefined && taken.id !== old.id) throw nameTaken();
      }
      const { default_branch: branch } = body;
      if (branch !== undefined && branch !== old.defaultBranch) await changeDefaultBranch(old, branch);
      const visibility = visibilityOf(body);
      if (renamed !== old.name) freeName(fullName({ owner: old.owner, name: renamed }));
      return show(
        request,
        repositories.update(old.id, {
          ...(renamed === old.name
            ? {}
            : {
                name: renamed,
                formerly: [...old.formerly, fullName(old).toLowerCase()],
                namedAt: cloud.clock.now(),
              }),
          ...(body.description === undefined ? {} : { description: body.description }),
          ...(body.homepage === undefined ? {} : { homepage: body.homepage }),
          ...(visibility === undefined ? {} : { visibility }),
          ...(branch === undefined ? {} : { defaultBranch: branch }),
          securityAndAnalysis: { ...old.securityAndAnalysis, ...body.security_and_analysis },
          settings: settingsOf(body, old.settings),
        }),
      );
    },
  );

  async function changeDefaultBranch(repository: Repository, branch: string): Promise<void> {
    await git.ensure(repository.id, repository.defaultBranch);
    if ((await treeOf(git, repository.id, `refs/heads/${branch}`)) === undefined) {
      throw unprocessable(
        `The branch ${branch} was not found. Please push that ref first or create it via the Git Data API.`,
      );
    }
    await git.run(repository.id, ["symbolic-ref", "HEAD", `refs/heads/${branch}`]);
  }

  api.delete<Route>(
    "/repos/:owner/:repo",
    { config: { docs: "repos/repos#delete-a-repository" } },
    async (request, reply) => {
      const { id } = request.repository;
      repositories.remove(id);
      await git.inTurn(id, async () => git.remove(id));
      return reply.code(204).send();
    },
  );

  api.post<Route>(
    "/repos/:owner/:repo/generate",
    { config: { docs: "repos/repos#create-a-repository-using-a-template", needs: "read" } },
    async (request, reply) => {
      const viewer = requireViewer(request);
      const source = request.repository;
      if (!source.settings.is_template) {
        throw invalid({
          resource: "Repository",
          code: "custom",
          message: `${source.name} is not a template.`,
        });
      }
      const body = parse(createSchema.extend({ owner: z.string().optional() }), request.body);
      const owner = findAccount(body.owner ?? viewer.account.login);
      if (owner === undefined) throw notFound();
      const probe = { ...source, owner: owner.login, visibility: "public" as const };
      checkAccess(request, probe, "write");
      const made = register(owner.login, body, source);
      await git.ensure(made.id, made.defaultBranch);
      await git.ensure(source.id, source.defaultBranch);
      const tree = await treeOf(git, source.id, `refs/heads/${source.defaultBranch}`);
      if (tree !== undefined) {
        await git.run(made.id, [
          "fetch",
          "--quiet",
          "--depth=1",
          git.dir(source.id),
          `refs/heads/${source.defaultBranch}`,
        ]);
        await git.inTurn(made.id, () =>
          commitFiles(github, made, viewer, {
            branch: made.defaultBranch,
            message: "Initial commit",
            tree,
            files: [],
          }),
        );
      }
      return reply.code(201).send(show(request, made));
    },
  );

  topicRoutes(api, github);
}

function topicRoutes(api: Service, { repositories }: GitHub): void {
  const docs = "repos/repos#replace-all-repository-topics";
  api.get<Route>("/repos/:owner/:repo/topics", { config: { docs } }, async (request) => ({
    names: request.repository.topics,
  }));
  api.put<Route>("/repos/:owner/:repo/topics", { config: { docs } }, async (request) => {
    const { names } = parse(z.object({ names: z.array(z.string()) }), request.body);
    const topics = names.map((name) => name.toLowerCase());
    const wrong = topics.filter((topic) => !/^[a-z0-9][a-z0-9-]{0,49}$/.test(topic));
    if (wrong.length > 0) {
      throw unprocessable(
        "Topics must start with a lowercase letter or number, consist of 50 characters or less, and can include hyphens.",
      );
    }
    if (topics.length > 20) throw unprocessable("A repository cannot have more than 20 topics.");
    repositories.update(request.repository.id, { topics });
    return { names: topics };
  });
  const alerts = "/repos/:owner/:repo/vulnerability-alerts";
  const config = { docs: "repos/repos#check-if-vulnerability-alerts-are-enabled-for-a-repository" };
  api.get<Route>(alerts, { config: { ...config, needs: "admin" } }, async (request, reply) => {
    if (!request.repository.vulnerabilityAlerts) throw notFound("Vulnerability alerts are disabled.");
    return reply.code(204).send();
  });
  for (const [method, vulnerabilityAlerts] of [
    ["PUT", true],
    ["DELETE", false],
  ] as const) {
    api.route<Route>({
      method,
      url: alerts,
      config,
      handler: async (request, reply) => {
        repositories.update(request.repository.id, { vulnerabilityAlerts });
        return reply.code(204).send();
      },
    });
  }
}

function nameTaken(): GitHubError {
  return creationFailed({ field: "name", code: "custom", message: "name already exists on this account" });
}

function creationFailed(error: { field: string; code: string; message: string }): GitHubError {
  return new GitHubError(422, "Repository creation failed.", {
    errors: [{ resource: "Repository", ...error }],
  });
}
