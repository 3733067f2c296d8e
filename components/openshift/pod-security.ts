/**
 * Security of a pod that runs as whichever user the cluster gives it, never as root. It names no user id: OpenShift gives
 * each namespace a range of its own and refuses ids outside it.
 */
export const POD_SECURITY = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

/** Security of a container: no privileges and none to gain, nothing to write but what is mounted. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
