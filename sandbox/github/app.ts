import { sandboxPaths } from "../client/files.ts";
import type { Cloud } from "../core/cloud.ts";
import type { Service } from "../core/service.ts";
import { branchPolicyRoutes } from "./branch-policies.ts";
import { branchRoutes } from "./branches.ts";
import { commentRoutes } from "./comments.ts";
import { contentRoutes } from "./contents.ts";
import { environmentRoutes } from "./environments.ts";
import { gitDataRoutes } from "./git-data.ts";
import { GitStore } from "./git-store.ts";
import { graphqlRoute } from "./graphql.ts";
import { createApi, type GitHub } from "./http.ts";
import { oidcSubjectRoutes } from "./oidc-subject.ts";
import { peopleRoutes } from "./people.ts";
import { pullRoutes } from "./pulls.ts";
import { refRoutes } from "./refs.ts";
import { releaseRoutes } from "./releases.ts";
import { repositoryRoutes } from "./repositories.ts";
import { rulesetRoutes } from "./rulesets.ts";
import { runRoutes } from "./runs.ts";
import { secretRoutes } from "./secrets.ts";
import { Repositories } from "./state.ts";
import { variableRoutes } from "./variables.ts";
import { workflowRoutes } from "./workflows.ts";

/** The GitHub of a sandbox, with what is on disk and belongs to nothing any more swept away. */
export function openGitHub(cloud: Cloud): GitHub {
  const repositories = new Repositories(cloud);
  const git = new GitStore(sandboxPaths(cloud.dataDir).github);
  git.keepOnly(repositories.list().map((each) => each.id));
  return { cloud, repositories, git };
}

/** `api.github.com`: REST API v3, as octokit and the Pulumi provider use it. */
export function createGitHubApi(github: GitHub): Service {
  const api = createApi(github);
  peopleRoutes(api);
  repositoryRoutes(api, github);
  contentRoutes(api, github);
  environmentRoutes(api, github);
  branchPolicyRoutes(api, github);
  variableRoutes(api, github);
  secretRoutes(api, github);
  oidcSubjectRoutes(api, github);
  branchRoutes(api, github);
  refRoutes(api, github);
  gitDataRoutes(api, github);
  rulesetRoutes(api, github);
  workflowRoutes(api, github);
  runRoutes(api, github);
  pullRoutes(api, github);
  commentRoutes(api, github);
  releaseRoutes(api, github);
  graphqlRoute(api, github);
  return api;
}
