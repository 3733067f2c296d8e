import path from "node:path";
import { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import { ConfigFile } from "@pulumi/kubernetes/yaml/v2/configFile.js";
import { ConfigGroup } from "@pulumi/kubernetes/yaml/v2/configGroup.js";
import { ConfigFile as ConfigFileV1 } from "@pulumi/kubernetes/yaml/yaml.js";
import { Config, type Resource } from "@pulumi/pulumi";

const config = new Config();
const file = path.join(import.meta.dirname, "manifests.yaml");

const second = new ConfigFile("second", { file });
const objects = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "object" }, data: { a: "1" } };
const text = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "text"}, "data": {"a": "${config.get("step") ?? "1"}"}}`;
const group = new ConfigGroup("group", { yaml: text, objs: [objects], resourcePrefix: "in" });
/** The first generation of manifests is read by the program itself. */
new ConfigFileV1(
  "first",
  {
    file,
    resourcePrefix: "v1",
    transformations: [
      (object: { kind?: string; metadata?: { name?: string } }, options: { parent?: Resource }) => {
        // Only what does not stand in the other's way.
        if (object.kind === "ConfigMap" && object.metadata !== undefined) object.metadata.name = "first";
        else if (object.kind !== "List") Object.assign(object, { apiVersion: "v1", kind: "List", items: [] });
        return { props: object, opts: options };
      },
    ],
  },
  { dependsOn: second },
);
if (config.get("chart") !== undefined) new Chart("chart", { chart: "nginx" });

export const names = group.resources.apply((all) => (all as { urn: unknown }[]).length);
