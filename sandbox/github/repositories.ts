import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { type Account, findAccount, reaches } from "./accounts.ts";
import { commitFiles, treeOf } from "./commits-write.ts";
import { GitHubError, invalid, notFound, unprocessable } from "./errors.ts";
import { accessOf, type GitHub, paginate, parse, requireViewer } from "./http.ts";
import { repositoryBody } from "./repository-body.ts";
import { changeSchema, createSchema, repositoryName, settingsOf, visibilityOf } from "./repository-input.ts";
import { freeName, makeRepository, nameTaken, registerRepository, requireMaker } from "./repository-make.ts";
import { fullName, type Repository } from "./state.ts";

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
      return create(request, reply, requireViewer(request).account);
    },
  );
  api.post<{ Params: { org: string } }>(
    "/orgs/:org/repos",
    { config: { docs: "repos/repos#create-an-organization-repository" } },
    async (request, reply) => {
      requireViewer(request);
      const owner = findAccount(request.params.org);
      if (owner?.type !== "Organization") throw notFound();
      return create(request, reply, owner);
    },
  );

  async function create(request: FastifyRequest, reply: FastifyReply, owner: Account) {
    const made = await makeRepository(github, requireViewer(request), owner, request.body);
    reply.header("location", `https://api.github.com/repos/${fullName(made)}`);
    return reply.code(201).send(show(request, made));
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
      if (renamed !== old.name) freeName(github, fullName({ owner: old.owner, name: renamed }));
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
      requireMaker(viewer, owner);
      const made = registerRepository(github, owner.login, body, source);
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
