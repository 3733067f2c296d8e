import { expect, it } from "vitest";
import type { CloudClients } from "../../scripts/lib/clients.ts";
import { deleteLogs } from "../../scripts/lib/logs.ts";

const workspace = {
  urn: "w",
  type: "azure-native:operationalinsights:Workspace",
  id: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log",
};
const others = [
  { urn: "v", type: "azure-native:keyvault:Vault", id: "/subscriptions/s/vault" },
  { urn: "x", type: workspace.type },
];

/** A cloud that answers with this status. */
function cloud(status: number) {
  const asked: string[] = [];
  const client = {
    sendRequest: async ({ method, url }: { method: string; url: string }) => {
      asked.push(`${method} ${url}`);
      return { status, bodyAsText: "the cloud's words" };
    },
  };
  return { asked, clients: { resources: async () => client } as unknown as CloudClients };
}

it.each([200, 202, 204, 404])("log workspaces go for good, and nothing else does (%d)", async (status) => {
  const { asked, clients } = cloud(status);
  await deleteLogs(clients, { resources: [...others, workspace] });
  expect(asked).toEqual([
    `DELETE https://management.azure.com${workspace.id}?api-version=2023-09-01&force=true`,
  ]);
});

it("nothing is asked where there are none", async () => {
  const { asked, clients } = cloud(500);
  await deleteLogs(clients, { resources: others });
  expect(asked).toEqual([]);
});

it("a refusal is one, with the cloud's words", async () => {
  const { clients } = cloud(409);
  await expect(deleteLogs(clients, { resources: [workspace] })).rejects.toMatchObject({
    statusCode: 409,
    message: expect.stringContaining("the cloud's words"),
  });
});
