import type { ArmModule } from "../arm/http.ts";
import type { JsonObject } from "../core/resources.ts";

/**
 * The runtimes that a site of the sandbox can have, which `az functionapp create` and `az webapp create` look up: a
 * custom handler, and Node as the sandbox itself has it.
 */
export const stacks: ArmModule = (arm) => {
  for (const base of ["/providers/Microsoft.Web", "/providers/Microsoft.Web/locations/:location"]) {
    arm.get(`${base}/functionAppStacks`, async () => ({
      value: [stack("functionAppStacks", functionStack)],
    }));
    arm.get(`${base}/webAppStacks`, async () => ({ value: [stack("webAppStacks", webStack())] }));
  }
};

function stack(type: string, properties: JsonObject): JsonObject {
  const name = String(properties.value);
  return {
    id: `/providers/Microsoft.Web/${type}/${name}`,
    name,
    type: `Microsoft.Web/${type}`,
    properties,
  };
}

const functionStack: JsonObject = {
  displayText: "Custom Handler",
  value: "custom",
  preferredOs: "linux",
  majorVersions: [
    {
      displayText: "Custom Handler",
      value: "custom",
      minorVersions: [
        {
          displayText: "Custom Handler",
          value: "custom",
          stackSettings: {
            linuxRuntimeSettings: {
              runtimeVersion: "",
              isPreview: false,
              isDeprecated: false,
              isHidden: false,
              isDefault: true,
              remoteDebuggingSupported: false,
              appInsightsSettings: { isSupported: true },
              gitHubActionSettings: { isSupported: false },
              appSettingsDictionary: { FUNCTIONS_WORKER_RUNTIME: "custom" },
              siteConfigPropertiesDictionary: { use32BitWorkerProcess: false, linuxFxVersion: "" },
              supportedFunctionsExtensionVersions: ["~4"],
            },
          },
        },
      ],
    },
  ],
};

function webStack(): JsonObject {
  const major = process.versions.node.split(".", 1)[0] ?? "";
  const version = `${major} LTS`;
  return {
    displayText: "Node",
    value: "node",
    preferredOs: "linux",
    majorVersions: [
      {
        displayText: `Node ${version}`,
        value: major,
        minorVersions: [
          {
            displayText: `Node ${version}`,
            value: `${major}-lts`,
            stackSettings: {
              linuxRuntimeSettings: {
                runtimeVersion: `NODE|${major}-lts`,
                isPreview: false,
                isDeprecated: false,
                isHidden: false,
                isAutoUpdate: true,
                remoteDebuggingSupported: false,
                appInsightsSettings: { isSupported: true },
                gitHubActionSettings: { isSupported: true, supportedVersion: `${major}.x` },
              },
            },
          },
        ],
      },
    ],
  };
}
