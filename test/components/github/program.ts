/** A repository with its environment, its workflow and its sign-in to Azure: what a lab is made of. */
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { Config } from "@pulumi/pulumi";
import { GithubEnvironment } from "../../../components/github/environment.ts";
import { ACTIONS } from "../../../components/github/model/actions.ts";
import { because, script, workflow } from "../../../components/github/model/workflow.ts";
import { OidcFederation } from "../../../components/github/oidc-federation.ts";
import { GithubRepository } from "../../../components/github/repository.ts";
import { WorkflowFile } from "../../../components/github/workflow-file.ts";

const config = new Config();
const group = new ResourceGroup("lab", { resourceGroupName: "rg-lab", location: "eastus" });
const identity = new UserAssignedIdentity("deployer", {
  resourceGroupName: group.name,
  resourceName: "id-lab",
  location: "eastus",
});
const repository = new GithubRepository("lab", {
  repositoryName: "lab",
  description: "A lab",
  topics: ["mlops"],
  archiveOnDestroy: false,
});
const environment = new GithubEnvironment("prod", {
  repository: repository.repositoryName,
  environmentName: "prod",
  protection: {
    gate: "review",
    reviewers: [{ user: config.requireNumber("reviewer") }],
    waitMinutes: config.getNumber("wait") ?? 0,
    from: "matching",
    branches: ["main"],
    tags: ["v*"],
  },
  variables: { AZURE_CLIENT_ID: identity.clientId, AZURE_TENANT_ID: identity.tenantId },
});
new OidcFederation("trust", {
  resourceGroupName: group.name,
  identityName: identity.name,
  repository: {
    owner: "kiln",
    name: "lab",
    ownerId: config.requireNumber("owner"),
    repositoryId: repository.repositoryId,
  },
  jobs: [{ environment: "prod" }, { branch: "main" }],
});
new WorkflowFile(
  "deploy",
  {
    repository: repository.repositoryName,
    workflow: workflow({
      name: "deploy",
      on: { push: { branches: ["main"] } },
      jobs: {
        deploy: {
          name: "Deploy",
          "runs-on": "ubuntu-24.04",
          environment: "prod",
          permissions: { contents: "read", "id-token": because("write", "to sign in to Azure") },
          "timeout-minutes": 10,
          steps: [
            { name: "Check out", uses: ACTIONS.checkout, with: { "persist-credentials": false } },
            { name: "Greet", run: script("echo hello") },
          ],
        },
      },
    }),
  },
  { dependsOn: environment },
);

export const { repositoryId } = repository;
export const clientId = identity.clientId;
