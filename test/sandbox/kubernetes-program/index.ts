import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { CustomResourceDefinition } from "@pulumi/kubernetes/apiextensions/v1/customResourceDefinition.js";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ResourceQuota } from "@pulumi/kubernetes/core/v1/resourceQuota.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { Config, secret } from "@pulumi/pulumi";

const config = new Config();
const step = config.get("step") ?? "1";
const adopted = config.get("adopted");
const annotations: Record<string, string> =
  config.get("force") === undefined ? {} : { "pulumi.com/patchForce": "true" };

const project = new Namespace("project", { metadata: { labels: { team: config.get("team") ?? "a" } } });
const namespace = project.metadata.name;
const quota = new ResourceQuota("quota", {
  metadata: { name: "pods", namespace },
  spec: { hard: { pods: "4" } },
});
new ConfigMap("named", {
  metadata: { name: "named", namespace, labels: { step }, annotations },
  data: { a: "1" },
});
const auto = new ConfigMap("auto", { metadata: { namespace }, data: { step } });
new Secret("key", {
  metadata: { name: "key", namespace },
  stringData: { word: secret("a-word-nobody-may-see") },
});
const labels = { app: "web" };
const web = new Deployment(
  "web",
  {
    metadata: {
      name: "web",
      namespace,
      annotations: { "pulumi.com/timeoutSeconds": config.get("patience") ?? "60" },
    },
    spec: {
      replicas: config.getNumber("replicas") ?? 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "web",
              image: "registry.kiln/web:1",
              env: [{ name: "SETTINGS", value: auto.metadata.name }],
              resources: { requests: { cpu: "1000m", memory: "1024Mi" } },
            },
          ],
        },
      },
    },
  },
  { dependsOn: quota },
);
const service = new Service(
  "web",
  { metadata: { name: "web", namespace }, spec: { selector: labels, ports: [{ port: 80 }] } },
  { dependsOn: web },
);
const definition = new CustomResourceDefinition("definition", {
  metadata: { name: "gadgets.probe.kiln" },
  spec: {
    group: "probe.kiln",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { size: { type: "integer", maximum: 9 } } } },
          },
        },
      },
    ],
  },
});
new CustomResource(
  "gadget",
  {
    apiVersion: "probe.kiln/v1",
    kind: "Gadget",
    metadata: { name: "gadget", namespace, annotations: { "pulumi.com/waitFor": "jsonpath={.spec.size}" } },
    spec: { size: config.getNumber("size") ?? 1 },
  },
  { dependsOn: definition },
);
for (const [index] of Array.from({ length: config.getNumber("many") ?? 0 }).entries()) {
  new ConfigMap(`many-${index}`, {
    metadata: { name: `many-${index}`, namespace },
    data: { index: `${index}` },
  });
}
if (adopted !== undefined) {
  new ConfigMap(
    "adopted",
    { metadata: { name: "adopted", namespace }, data: { by: "hand" } },
    { import: adopted },
  );
}

export const at = namespace;
export const address = service.spec.clusterIP;
export const settings = auto.metadata.name;
