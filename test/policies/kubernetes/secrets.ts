import { type Cases, OPENAI_KEY, wrong } from "../case.ts";
import { APP, deployment, inference, object, pod, route } from "./objects.ts";

/** What no-raw-secrets is tried with on Kubernetes. */
export const kubernetesSecrets: Cases = {
  pass: {
    "pod-by-reference": pod(
      {},
      { env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "token" } } }] },
    ),
    "external-secret": object("external-secrets.io/v1:ExternalSecret", "external-secrets.io/v1", {
      spec: {
        secretStoreRef: { kind: "SecretStore", name: "vault" },
        target: { name: "model-key", template: { data: { "config.json": '{"apiKey": "{{ .apiKey }}"}' } } },
        data: [{ secretKey: "api-key", remoteRef: { key: "AZURE-OPENAI-API-KEY--prod" } }],
      },
    }),
    "secret-store": object("external-secrets.io/v1:SecretStore", "external-secrets.io/v1", {
      spec: {
        provider: {
          azurekv: {
            authType: "WorkloadIdentity",
            vaultUrl: "https://kv-kiln-prod-1a2b.vault.azure.net/",
            serviceAccountRef: { name: "vault-reader" },
          },
        },
      },
    }),
    "pipeline-server": object(
      "datasciencepipelinesapplications.opendatahub.io/v1:DataSciencePipelinesApplication",
      "datasciencepipelinesapplications.opendatahub.io/v1",
      {
        spec: {
          database: {
            externalDB: { host: "db", username: "dsp", passwordSecret: { name: "db", key: "password" } },
          },
          objectStorage: {
            externalStorage: {
              s3CredentialsSecret: {
                secretName: "s3",
                accessKey: "AWS_ACCESS_KEY_ID",
                secretKey: "AWS_SECRET_ACCESS_KEY",
              },
            },
          },
        },
      },
    ),
    "config-map": object("core/v1:ConfigMap", "v1", {
      data: {
        "agent.yaml": "keyFile: /run/secrets/model/api-key\ntokenLimit: 4096\n",
        AZURE_OPENAI_ENDPOINT: "https://oai-kiln-prod.openai.azure.com/",
      },
    }),
    monitor: object("monitoring.coreos.com/v1:ServiceMonitor", "monitoring.coreos.com/v1", {
      spec: {
        endpoints: [
          {
            port: "https",
            bearerTokenFile: "/var/run/token",
            authorization: { credentials: { name: "t", key: "token" } },
          },
        ],
      },
    }),
  },
  fail: {
    "kubernetes-secret": wrong(
      { type: "kubernetes:core/v1:Secret", props: { stringData: { greeting: "hello" } } },
      'stringData["greeting"]',
    ),
    "kubernetes-secret-v1": wrong(
      {
        type: "kubernetes:v1:Secret",
        props: { apiVersion: "v1", kind: "Secret", data: { greeting: "aGVsbG8=" } },
      },
      'data["greeting"]',
    ),
    "kubernetes-secret-patch": wrong(
      object("core/v1:SecretPatch", "v1", { data: { greeting: "aGVsbG8=" } }),
      'data["greeting"]',
    ),
    "kubernetes-secret-in-list": wrong(
      object("core/v1:List", "v1", {
        items: [{ apiVersion: "v1", kind: "Secret", stringData: { greeting: "hello" } }],
      }),
      'items[0].stringData["greeting"]',
    ),
    "kubernetes-secret-token": wrong(
      object("core/v1:Secret", "v1", { type: "kubernetes.io/service-account-token" }),
      "type",
    ),
    "config-map-key": wrong(
      object("core/v1:ConfigMap", "v1", { data: { "api-key": "hunter2hunter2" } }),
      "data.api-key",
    ),
    "config-map-file": wrong(
      object("core/v1:ConfigMap", "v1", {
        data: { "agent.properties": `model=gpt\nopenai.apiKey=${OPENAI_KEY}\n` },
      }),
      'data["agent.properties"]',
    ),
    "config-map-binary": wrong(
      object("core/v1:ConfigMap", "v1", {
        binaryData: { "agent.bin": Buffer.from(`key is ${OPENAI_KEY}`).toString("base64") },
      }),
      'binaryData["agent.bin"](base64)',
    ),
    "environment-raw": wrong(
      deployment({}, { env: [{ name: "POSTGRES_PASSWORD", value: "hunter2" }] }),
      `${APP}.env[name=POSTGRES_PASSWORD].value`,
    ),
    "environment-of-model": wrong(
      inference({ model: { env: [{ name: "HF_TOKEN", value: "hunter2" }] } }),
      "spec.predictor.model.env[name=HF_TOKEN].value",
    ),
    "argument-raw": wrong(
      deployment({}, { args: ["--user", "a", "--password", "hunter2"] }),
      `${APP}.args[3]`,
    ),
    "route-key": wrong(route({ termination: "edge", key: "of a certificate" }), "spec.tls.key"),
  },
};
