import { expect, test } from "vitest";
import { wayOutProblems } from "../../stacks/serving-way-out.ts";
import { DIGEST, project } from "./serving-samples.ts";

type Project = Parameters<typeof wayOutProblems>[0];

const key = { secret: "key" };
const bucket = (endpoint: string) => ({
  name: "s3",
  type: "s3",
  endpoint,
  bucket: "models",
  accessKeyId: key,
  secretAccessKey: key,
});
const fetched = (source: object) => ({
  ...project("fraud"),
  connections: [],
  network: {},
  models: [{ name: "scorer", source, stopped: false }],
});
const told = (given: object) => wayOutProblems(given as Project).map(({ message }) => message);
const hub = { uri: "hf://owner/model" };
const stored = { connection: "s3", path: "scorer/1" };

test.each([
  ["an image", fetched({ uri: `oci://quay.io/example/scorer@sha256:${DIGEST}` })],
  ["a volume", fetched({ uri: "pvc://models/scorer" })],
  [
    "a file that a Service of the cluster has",
    fetched({ uri: "https://files.kiln-dev-fraud.svc/scorer.zip" }),
  ],
  [
    "a bucket in the cluster",
    {
      ...fetched(stored),
      connections: [bucket("https://minio.kiln-dev-fraud.svc.cluster.local:9000")],
    },
  ],
  ["a bucket of the project", { ...fetched(stored), connections: [bucket("https://minio:9000")] }],
  ["what stands still", { ...fetched(hub), models: [{ name: "scorer", source: hub, stopped: true }] }],
  ["what models are let out to", { ...fetched(hub), network: { egress: [{ pods: "models" }] } }],
])("nothing need be let out for %s", (_what, given) => {
  expect(told(given)).toEqual([]);
});

test.each([
  ["a hub", fetched(hub)],
  ["a page", fetched({ uri: "https://models.example.com/scorer.zip" })],
  ["a bucket", { ...fetched(stored), connections: [bucket("https://svc.example.com")] }],
])("a model from %s is told of", (_what, given) => {
  expect(told(given)).toEqual([expect.stringContaining("scorer is fetched from outside")]);
});

test("pipelines want out to the database or the storage that lies outside, and models' way is not theirs", () => {
  const pipelines = (host: string, endpoint: string, egress: object[] = []) => ({
    ...fetched(hub),
    models: [],
    network: { egress },
    connections: [bucket(endpoint)],
    pipelineServer: { connection: "s3", database: { host } },
  });
  const inside = ["mariadb", "https://minio.kiln-dev-fraud.svc"] as const;
  const outside = ["db.example.com", "https://s3.example.com"] as const;
  expect(told(pipelines(...inside))).toEqual([]);
  expect(told(pipelines(inside[0], outside[1]))).toHaveLength(1);
  expect(told(pipelines(outside[0], inside[1]))).toEqual([expect.stringContaining("db.example.com")]);
  expect(told(pipelines(...outside, [{ pods: "models" }]))).toHaveLength(1);
  expect(told(pipelines(...outside, [{}]))).toEqual([]);
});
