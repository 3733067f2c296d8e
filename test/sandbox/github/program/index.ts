import { ActionsEnvironmentSecret } from "@pulumi/github/actionsEnvironmentSecret.js";
import { ActionsEnvironmentVariable } from "@pulumi/github/actionsEnvironmentVariable.js";
import { getUserOutput } from "@pulumi/github/getUser.js";
import { Repository } from "@pulumi/github/repository.js";
import { RepositoryEnvironment } from "@pulumi/github/repositoryEnvironment.js";
import { RepositoryFile } from "@pulumi/github/repositoryFile.js";
import { RepositoryRuleset } from "@pulumi/github/repositoryRuleset.js";
import { Config, secret } from "@pulumi/pulumi";

const config = new Config();
const reviewer = getUserOutput({ username: "kiln-owner" });

const repository = new Repository("repository", {
  name: config.get("name") ?? "hub-one",
  description: config.get("description") ?? "A hub",
  visibility: "private",
  autoInit: true,
  hasIssues: true,
  topics: ["kiln", "hub"],
});
const environment = new RepositoryEnvironment("prod", {
  repository: repository.name,
  environment: "prod",
  reviewers: [{ users: [reviewer.id.apply(Number)] }],
  deploymentBranchPolicy: { protectedBranches: true, customBranchPolicies: false },
});
const place = { repository: repository.name, environment: environment.environment };
new ActionsEnvironmentVariable("variable", { ...place, variableName: "PLACE", value: "prod" });
new ActionsEnvironmentSecret("secret", {
  ...place,
  secretName: "WORD",
  value: secret("a-word-for-github-alone"),
});
new RepositoryFile("file", {
  repository: repository.name,
  file: "hello.txt",
  content: config.get("content") ?? "hello",
  commitMessage: "Say hello",
});
new RepositoryRuleset("ruleset", {
  repository: repository.name,
  name: "safe",
  target: "branch",
  enforcement: "active",
  conditions: { refName: { includes: ["refs/heads/release/*"], excludes: [] } },
  rules: { deletion: true, nonFastForward: true },
});
const adopted = config.get("adopted");
if (adopted !== undefined) {
  new Repository("adopted", { name: adopted, description: "Made by hand" }, { import: adopted });
}

export const { repoId, httpCloneUrl } = repository;
