import { type Cases, wrong } from "../case.ts";
import {
  CRON_APP,
  container,
  cronJob,
  deployment,
  IMAGE,
  inference,
  namespace,
  notebook,
  object,
  pod,
  podSpec,
  RESOURCES,
  runtime,
  SECURITY,
  TEMPLATE,
  templated,
  worker,
} from "./objects.ts";

/** Cases of what a pod may do. */
export const privilegeCases: Readonly<Record<string, Cases>> = {
  "pod-not-privileged": {
    pass: {
      "pod-restricted": pod(),
      "pod-restricted-as-a-whole": pod(
        { securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } },
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          },
        },
      ),
      "pod-user": pod({}, { securityContext: { ...SECURITY, runAsUser: 1000 } }),
      // OpenShift's restricted-v2 gives these pods what they do not say.
      "model-by-constraint": inference(),
      "notebook-by-constraint": notebook(),
      "runtime-by-constraint": runtime(),
      "worker-by-constraint": worker({}),
    },
    fail: {
      "pod-privileged": wrong(
        pod({}, { securityContext: { privileged: true } }),
        "spec.containers[name=app].securityContext.privileged",
      ),
      "pod-privileged-in-text": wrong(
        pod({}, { securityContext: { privileged: "true" } }),
        "spec.containers[name=app].securityContext.privileged",
      ),
      "pod-escalation": wrong(
        pod({}, { securityContext: { allowPrivilegeEscalation: true } }),
        "spec.containers[name=app].securityContext.allowPrivilegeEscalation",
      ),
      "pod-root": wrong(
        pod({}, { securityContext: { runAsUser: 0 } }),
        "spec.containers[name=app].securityContext.runAsUser",
      ),
      "pod-root-as-a-whole": wrong(
        pod({ securityContext: { runAsUser: 0 } }),
        "spec.securityContext.runAsUser",
      ),
      "pod-maybe-root": wrong(
        pod({}, { securityContext: { runAsNonRoot: undefined } }),
        "spec.containers[name=app].securityContext.runAsNonRoot",
      ),
      "pod-not-non-root": wrong(
        pod({ securityContext: { runAsNonRoot: true } }, { securityContext: { runAsNonRoot: false } }),
        "spec.containers[name=app].securityContext.runAsNonRoot",
      ),
      "pod-silent": wrong(
        pod({}, { securityContext: null }),
        "spec.containers[name=app].securityContext.capabilities.drop",
      ),
      "pod-context-of-text": wrong(
        pod({}, { securityContext: "none" }),
        "spec.containers[name=app].securityContext.runAsNonRoot",
      ),
      "pod-capability": wrong(
        pod({}, { securityContext: { capabilities: { add: ["SYS_ADMIN"], drop: ["ALL"] } } }),
        "spec.containers[name=app].securityContext.capabilities.add",
      ),
      "pod-host-network": wrong(pod({ hostNetwork: true }), "spec.hostNetwork"),
      "pod-host-pid": wrong(pod({ hostPID: true }), "spec.hostPID"),
      "pod-host-ipc": wrong(pod({ hostIPC: true }), "spec.hostIPC"),
      "pod-host-port": wrong(
        pod({}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
        "spec.containers[name=app].ports[0].hostPort",
      ),
      "pod-host-path": wrong(
        pod({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
        "spec.volumes[name=v].hostPath",
      ),
      "pod-proc-mount": wrong(
        pod({}, { securityContext: { procMount: "Unmasked" } }),
        "spec.containers[name=app].securityContext.procMount",
      ),
      "pod-unconfined": wrong(
        pod({}, { securityContext: { seccompProfile: { type: "Unconfined" } } }),
        "spec.containers[name=app].securityContext.seccompProfile.type",
      ),
      "pod-unconfined-as-a-whole": wrong(
        pod({ securityContext: { seccompProfile: { type: "Unconfined" } } }),
        "spec.securityContext.seccompProfile.type",
      ),
      "pod-selinux": wrong(
        pod({ securityContext: { seLinuxOptions: { type: "spc_t" } } }),
        "spec.securityContext.seLinuxOptions.type",
      ),
      "pod-sysctl": wrong(
        pod({ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
        "spec.securityContext.sysctls[name=kernel.msgmax]",
      ),
      "pod-init-privileged": wrong(
        pod({ initContainers: [container({ name: "first", securityContext: { privileged: true } })] }),
        "spec.initContainers[name=first].securityContext.privileged",
      ),
      "pod-ephemeral-privileged": wrong(
        pod({
          ephemeralContainers: [
            { name: "look", image: IMAGE, securityContext: { ...SECURITY, privileged: true } },
          ],
        }),
        "spec.ephemeralContainers[name=look].securityContext.privileged",
      ),
      "deployment-host-network": wrong(deployment({ hostNetwork: true }), `${TEMPLATE}.hostNetwork`),
      "deployment-patch-host-network": wrong(
        object("apps/v1:DeploymentPatch", "apps/v1", { spec: { template: { spec: { hostNetwork: true } } } }),
        `${TEMPLATE}.hostNetwork`,
      ),
      "deployment-asks-for-anyuid": wrong(
        object("apps/v1:Deployment", "apps/v1", {
          spec: {
            template: {
              metadata: { annotations: { "openshift.io/required-scc": "anyuid" } },
              spec: podSpec(),
            },
          },
        }),
        'spec.template.metadata.annotations["openshift.io/required-scc"]',
      ),
      "cron-job-root": wrong(
        cronJob({}, { securityContext: { runAsUser: "0" } }),
        `${CRON_APP}.securityContext.runAsUser`,
      ),
      "model-host-path": wrong(
        inference({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
        "spec.predictor.volumes[name=v].hostPath",
      ),
      "model-privileged": wrong(
        inference({ model: { securityContext: { privileged: true } } }),
        "spec.predictor.model.securityContext.privileged",
      ),
      "model-worker-privileged": wrong(
        inference({
          workerSpec: {
            containers: [
              { name: "w", image: IMAGE, resources: RESOURCES, securityContext: { privileged: true } },
            ],
          },
        }),
        "spec.predictor.workerSpec.containers[name=w].securityContext.privileged",
      ),
      "runtime-host-ipc": wrong(runtime({}, { hostIPC: true }), "spec.hostIPC"),
      "notebook-root": wrong(
        notebook({ securityContext: { runAsUser: 0 } }),
        `${TEMPLATE}.containers[name=n].securityContext.runAsUser`,
      ),
      "worker-privileged": wrong(
        worker({ securityContext: { privileged: true } }),
        "spec.workerGroupSpecs[0].template.spec.containers[0].securityContext.privileged",
      ),
      "volume-of-node": wrong(
        object("core/v1:PersistentVolume", "v1", { spec: { hostPath: { path: "/" } } }),
        "spec.hostPath",
      ),
      "namespace-lifted": wrong(
        namespace({ "pod-security.kubernetes.io/enforce": "privileged" }),
        'metadata.labels["pod-security.kubernetes.io/enforce"]',
      ),
    },
  },
  "service-account-own": {
    pass: {
      "pod-no-token": pod(),
      "pod-own-account": pod({ automountServiceAccountToken: undefined, serviceAccountName: "agent" }),
      "model-account": inference(),
    },
    fail: {
      "pod-default-account": wrong(
        pod({ automountServiceAccountToken: undefined }),
        "spec.automountServiceAccountToken",
      ),
      "pod-default-by-name": wrong(
        pod({ automountServiceAccountToken: true, serviceAccountName: "default" }),
        "spec.automountServiceAccountToken",
      ),
      "job-default-account": wrong(
        templated("batch/v1:Job", "batch/v1", { automountServiceAccountToken: undefined }),
        `${TEMPLATE}.automountServiceAccountToken`,
      ),
    },
  },
};
