import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { Account } from "@pulumi/azure-native/cognitiveservices/account.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { WebAppApplicationSettings } from "@pulumi/azure-native/web/webAppApplicationSettings.js";
import { Command } from "@pulumi/command/local/command.js";
import { Config, secret } from "@pulumi/pulumi";

const config = new Config();
const tags = { step: config.get("step") ?? "1" };
const adopted = config.get("adopted");

const group = new ResourceGroup("group", {
  resourceGroupName: config.get("group") ?? "rg-one",
  location: "East US",
  tags,
});
const account = new Account("account", {
  accountName: "oai-probe",
  resourceGroupName: group.name,
  location: "eastus",
  kind: "OpenAI",
  sku: { name: "S0" },
  properties: { customSubDomainName: "oai-probe" },
});
new WebAppApplicationSettings("settings", {
  name: "func-probe",
  resourceGroupName: group.name,
  properties: { TOKEN: secret("a-token-nobody-may-see"), ENDPOINT: account.properties.endpoint },
});
if (adopted !== undefined) {
  new ResourceGroup(
    "adopted",
    { resourceGroupName: "rg-adopted", location: "westus", tags: { kept: "yes" } },
    { import: adopted },
  );
}
const command = new Command("command", {
  create: 'echo "made with $WHAT at $ENDPOINT"',
  update: 'echo "then $PULUMI_COMMAND_STDOUT"',
  delete: "echo done > deleted",
  environment: {
    WHAT: secret("a-word-nobody-may-see"),
    ENDPOINT: account.properties.endpoint,
    STEP: tags.step,
  },
  dir: config.require("folder"),
});

export const endpoint = account.properties.endpoint;
export const groupId = group.id;
export const me = getClientConfigOutput().objectId;
export const said = command.stdout;
