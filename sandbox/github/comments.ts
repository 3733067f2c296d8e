import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { actionsBot, findAccountById, nodeId, simpleAccount } from "./accounts.ts";
import { GitHubError, notFound } from "./errors.ts";
import { accessOf, type GitHub, idOf, paginate, parse, requireViewer } from "./http.ts";
import { findPull } from "./pulls-state.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { instant, type Repository } from "./state.ts";

/** A comment in the conversation of a pull request. */
interface Comment {
  readonly id: number;
  readonly number: number;
  readonly body: string;
  readonly authorId: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Route = { Params: { owner: string; repo: string; number: string; id: string } };
const kind = "github-comments";
const docs = "issues/comments";

/** Source: what GitHub answers to a longer one. */
const longestBody = 65_536;
const bodySchema = z.object({ body: z.string().min(1) });

/** Comments of pull requests, which are issues to this part of the API. The sandbox has no other issues. */
export function commentRoutes(api: Service, github: GitHub): void {
  const { cloud, repositories } = github;
  const all = cloud.store.collection<Comment>(kind);
  const key = (repository: Repository, id: number) => `${repository.id}/${id}`;
  const find = (request: FastifyRequest<Route>): Comment => {
    const found = all.get(key(request.repository, idOf(request.params.id)));
    if (found === undefined) throw notFound();
    return found;
  };
  const numberOf = (request: FastifyRequest<Route>): number => {
    const number = idOf(request.params.number);
    if (findPull(github, request.repository, number) === undefined) throw notFound();
    return number;
  };
  /** Who wrote it, and who may write in the repository. */
  const requireAuthor = (request: FastifyRequest<Route>, comment: Comment): void => {
    const { account } = requireViewer(request);
    const has = accessOf(request.viewer, request.repository);
    if (account.id === comment.authorId || has === "write" || has === "admin") return;
    throw new GitHubError(403, "Must have admin rights to Repository.");
  };

  const list = "/repos/:owner/:repo/issues/:number/comments";
  api.get<Route>(list, { config: { docs: `${docs}#list-issue-comments` } }, async (request, reply) => {
    const number = numberOf(request);
    const comments = repositories
      .children<Comment>(kind, request.repository.id)
      .map(([, comment]) => comment)
      .filter((comment) => comment.number === number)
      .sort((a, b) => a.id - b.id);
    return paginate(request, reply, comments).map((each) => commentBody(request.repository, each));
  });
  api.post<Route>(
    list,
    { config: { docs: `${docs}#create-an-issue-comment`, needs: "read" } },
    async (request, reply) => {
      const viewer = requireViewer(request);
      if (viewer.job?.access === "read") {
        throw new GitHubError(403, "Resource not accessible by integration");
      }
      const now = cloud.clock.now();
      const made: Comment = {
        id: repositories.nextId(),
        number: numberOf(request),
        body: bodyOf(request),
        authorId: viewer.account.id,
        createdAt: now,
        updatedAt: now,
      };
      all.put(key(request.repository, made.id), made);
      return reply.code(201).send(commentBody(request.repository, made));
    },
  );
  const one = "/repos/:owner/:repo/issues/comments/:id";
  api.get<Route>(one, { config: { docs: `${docs}#get-an-issue-comment` } }, async (request) =>
    commentBody(request.repository, find(request)),
  );
  api.patch<Route>(
    one,
    { config: { docs: `${docs}#update-an-issue-comment`, needs: "read" } },
    async (request) => {
      const old = find(request);
      requireAuthor(request, old);
      const changed = { ...old, body: bodyOf(request), updatedAt: cloud.clock.now() };
      all.put(key(request.repository, old.id), changed);
      return commentBody(request.repository, changed);
    },
  );
  api.delete<Route>(
    one,
    { config: { docs: `${docs}#delete-an-issue-comment`, needs: "read" } },
    async (request, reply) => {
      const old = find(request);
      requireAuthor(request, old);
      all.delete(key(request.repository, old.id));
      return reply.code(204).send();
    },
  );
}

function bodyOf(request: FastifyRequest): string {
  const { body } = parse(bodySchema, request.body);
  if (body.length <= longestBody) return body;
  const message = `body is too long (maximum is ${longestBody} characters)`;
  throw new GitHubError(422, "Validation Failed", {
    errors: [{ resource: "IssueComment", field: "data", code: "unprocessable", message }],
  });
}

function commentBody(repository: Repository, comment: Comment): object {
  const url = `${apiUrl(repository)}/issues`;
  return {
    id: comment.id,
    node_id: nodeId("IC", comment.id),
    url: `${url}/comments/${comment.id}`,
    html_url: `${htmlUrl(repository)}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${url}/${comment.number}`,
    body: comment.body,
    user: simpleAccount(findAccountById(comment.authorId) ?? actionsBot),
    author_association: "MEMBER",
    performed_via_github_app: null,
    created_at: instant(comment.createdAt),
    updated_at: instant(comment.updatedAt),
  };
}
