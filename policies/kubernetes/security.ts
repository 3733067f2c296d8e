import { at, isObject, isPresent, type Props, UNKNOWN, type Value, type Violation } from "../model.ts";
import { entries, texts } from "./objects.ts";
import type { Container, Pod } from "./pods.ts";

/** The one capability that a container without root may be given: to listen below port 1024. */
const ADDABLE = "NET_BIND_SERVICE";

/** Settings of the kernel that stay inside a pod (https://kubernetes.io/docs/concepts/security/pod-security-standards/). */
const SAFE_SYSCTLS = new Set([
  ...["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"],
  ...["net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"],
  ...["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"],
  ...["net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
]);
const SELINUX_TYPES = new Set(["container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);

/** Whether something that must be off is on, or is anything else than off. */
const isOn = (value: Value | undefined): boolean => isPresent(value) && value !== UNKNOWN && value !== false;
const isZero = (value: Value | undefined): boolean =>
  (typeof value === "number" || (typeof value === "string" && value.trim() !== "")) && Number(value) === 0;

/** What a pod's specification must never say, whoever makes the pod. */
export function forbiddenInPod({ spec, path, metadata, metadataPath }: Pod): Violation[] {
  const violations: Violation[] = [];
  for (const field of ["hostNetwork", "hostPID", "hostIPC"])
    if (isOn(spec[field]))
      violations.push({
        property: `${path}.${field}`,
        message: "must be false: the pod would share the node's.",
      });
  if (isObject(spec.securityContext)) {
    violations.push(...forbiddenInContext(spec.securityContext, `${path}.securityContext`));
    violations.push(...unsafeSysctls(spec.securityContext, `${path}.securityContext.sysctls`));
  }
  for (const { value, path: at } of entries(spec.volumes, `${path}.volumes`))
    if (isObject(value) && isPresent(value.hostPath) && value.hostPath !== UNKNOWN)
      violations.push({
        property: `${at}.hostPath`,
        message: "must not be: the node's files are not the pod's.",
      });
  return [...violations, ...forbiddenAnnotations(metadata, `${metadataPath}.annotations`)];
}

/** What a container must never say, whoever makes the pod. */
export function forbiddenInContainer({ container, path }: Container): Violation[] {
  const violations = entries(container.ports, `${path}.ports`).flatMap(({ value, path: at }) =>
    isObject(value) && isOn(value.hostPort) && !isZero(value.hostPort)
      ? [{ property: `${at}.hostPort`, message: "must not be: it is a port of the node, past every policy." }]
      : [],
  );
  const context = container.securityContext;
  return isObject(context)
    ? [...violations, ...forbiddenInContext(context, `${path}.securityContext`)]
    : violations;
}

/** What a security context must never say; a pod's and a container's have these fields in common or not at all. */
function forbiddenInContext(context: Props, path: string): Violation[] {
  const violations: Violation[] = [];
  const say = (field: string, message: string) => violations.push({ property: `${path}.${field}`, message });
  if (isOn(context.privileged))
    say("privileged", "must be false: it lifts everything that keeps a container in.");
  if (isOn(context.allowPrivilegeEscalation))
    say("allowPrivilegeEscalation", "must be false: a program could gain more rights than its parent.");
  if (isZero(context.runAsUser))
    say("runAsUser", "must not be 0, which is root; best is none, OpenShift gives one.");
  const nonRoot = context.runAsNonRoot;
  if (isPresent(nonRoot) && nonRoot !== UNKNOWN && nonRoot !== true)
    say("runAsNonRoot", "must be true: the image could run as root.");
  const added = texts(at(context, "capabilities.add")).filter(
    (name) => name.toUpperCase().replace(/^CAP_/, "") !== ADDABLE,
  );
  if (added.length > 0) say("capabilities.add", `may have ${ADDABLE} and nothing else.`);
  const mount = context.procMount;
  if (isPresent(mount) && mount !== UNKNOWN && mount !== "Default")
    say("procMount", "must be Default: it unmasks the kernel's files.");
  for (const profile of ["seccompProfile", "appArmorProfile"])
    if (/^unconfined$/i.test(String(known(at(context, `${profile}.type`)))))
      say(`${profile}.type`, "must not be Unconfined: RuntimeDefault keeps most of the kernel out of reach.");
  const type = known(at(context, "seLinuxOptions.type"));
  if (isPresent(type) && !SELINUX_TYPES.has(String(type)))
    say("seLinuxOptions.type", "must be a container's type: others leave the container.");
  for (const field of ["user", "role"])
    if (isPresent(known(at(context, `seLinuxOptions.${field}`))))
      say(`seLinuxOptions.${field}`, "must not be set.");
  if (isOn(at(context, "windowsOptions.hostProcess")))
    say("windowsOptions.hostProcess", "must be false: it is privileged by another name.");
  return violations;
}

const known = (value: Value | undefined): Exclude<Value, typeof UNKNOWN> | undefined =>
  value === UNKNOWN ? undefined : value;

function unsafeSysctls(context: Props, path: string): Violation[] {
  return entries(context.sysctls, path).flatMap(({ value, path: at }) =>
    isObject(value) && typeof value.name === "string" && !SAFE_SYSCTLS.has(value.name)
      ? [{ property: at, message: "must not be: this setting of the kernel is not the pod's alone." }]
      : [],
  );
}

/** Annotations that say what the fields above say, from the time before those, or that ask OpenShift for more rights. */
function forbiddenAnnotations(metadata: Props, path: string): Violation[] {
  if (!isObject(metadata.annotations)) return [];
  return Object.entries(metadata.annotations).flatMap(([key, value]) => {
    const property = `${path}[${JSON.stringify(key.slice(0, 128))}]`;
    if (typeof value !== "string") return [];
    if (/^(?:seccomp\.security\.alpha|container\.apparmor\.security\.beta)\.kubernetes\.io\//.test(key))
      return value === "unconfined" ? [{ property, message: "must not be unconfined." }] : [];
    return key === "openshift.io/required-scc" && !isOrdinaryScc(value)
      ? [{ property, message: "asks for a security context constraint with more than restricted-v2 gives." }]
      : [];
  });
}

/** Whether a security context constraint of OpenShift gives no more than a plain pod needs. */
export const isOrdinaryScc = (name: string): boolean =>
  ["restricted", "restricted-v2", "restricted-v3", "nonroot", "nonroot-v2"].includes(name);

/**
 * What a container of Kubernetes' own kinds must say itself: the profile `restricted` of the Pod Security Standards.
 *
 * Pods of KServe, of notebooks and of other operators are left to OpenShift: everything in a project is admitted under the
 * constraint restricted-v2, which picks a user above 0, drops every capability, forbids escalation and sets the seccomp profile
 * (https://docs.redhat.com/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-pod-security-policies).
 * Their own images are built for that. The manifests written here are held to say it, so that they are as safe on a cluster
 * without those constraints, and under an account that may use a wider one.
 */
export function missingInContainer({ container, path, pod }: Container): Violation[] {
  const own = container.securityContext;
  const ofPod = pod.spec.securityContext;
  if (own === UNKNOWN || ofPod === UNKNOWN) return [];
  const violations: Violation[] = [];
  const context = isObject(own) ? own : {};
  const shared = isObject(ofPod) ? ofPod : {};
  const inside = `${path}.securityContext`;
  if (!isPresent(context.runAsNonRoot) && !isPresent(shared.runAsNonRoot))
    violations.push({ property: `${inside}.runAsNonRoot`, message: "must be true, here or for the pod." });
  if (!isPresent(context.allowPrivilegeEscalation))
    violations.push({
      property: `${inside}.allowPrivilegeEscalation`,
      message: "must be false: Kubernetes' default is true.",
    });
  const dropped = at(context, "capabilities.drop");
  const unsaid = dropped !== UNKNOWN && !(Array.isArray(dropped) && dropped.includes(UNKNOWN));
  if (unsaid && !texts(dropped).some((name) => name.toUpperCase() === "ALL"))
    violations.push({ property: `${inside}.capabilities.drop`, message: "must have ALL." });
  if (!isPresent(at(context, "seccompProfile.type")) && !isPresent(at(shared, "seccompProfile.type")))
    violations.push({
      property: `${inside}.seccompProfile.type`,
      message: "must be RuntimeDefault, here or for the pod.",
    });
  return violations;
}
