import { apiVersions } from "./api-versions.ts";
import type { CloudClients } from "./clients.ts";
import type { State } from "./state.ts";

const type = "azure-native:operationalinsights:Workspace";

/**
 * Deletes the log workspaces on record for good, before the engine deletes the rest. A workspace that is only deleted holds its
 * name for 14 days, in its region: the environment could not be built elsewhere until then. It has to happen while its
 * group is still there; afterwards nothing but recovering it helps.
 * Source: Azure Monitor, "Delete and recover Azure Log Analytics workspace".
 */
export async function deleteLogs(
  clients: CloudClients,
  { resources }: Pick<State, "resources">,
): Promise<void> {
  const ids = resources.flatMap((each) => (each.type === type && each.id !== undefined ? [each.id] : []));
  if (ids.length === 0) return;
  // Loaded when it is needed: a preview is not to wait for it.
  const { createPipelineRequest, RestError } = await import("@azure/core-rest-pipeline");
  for (const id of ids) {
    // The SDK for resources has no parameter for it, so the request goes through its pipeline, which signs it.
    const client = await clients.resources();
    const url = `https://management.azure.com${id}?api-version=${apiVersions[type]}&force=true`;
    const request = createPipelineRequest({ url, method: "DELETE" });
    const response = await client.sendRequest(request);
    if ((response.status >= 200 && response.status < 300) || response.status === 404) continue;
    throw new RestError(`${id} was not deleted: ${response.bodyAsText ?? response.status}`, {
      statusCode: response.status,
      request,
      response,
    });
  }
}
