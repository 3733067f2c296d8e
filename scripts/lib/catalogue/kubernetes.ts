import type { Uncoded } from "./machine.ts";

const goesOn = "What was made until then stays on record, and the next run goes on from there.";

/**
 * Refusals of a Kubernetes API server, and what keeps an object from being ready, known by the words of the server and of Pulumi's
 * provider. The first that fits is told, so the narrower ones come first.
 */
export const kubernetesErrors: readonly Uncoded[] = [
  {
    code: "ClusterUnreachable",
    message: /configured Kubernetes cluster is unreachable|unable to load Kubernetes client configuration/i,
    what: "the cluster does not answer",
    why: "Its API server was not to be reached, or the kubeconfig leads nowhere; the sandbox's may have been stopped.",
    consequence: `Nothing more was changed. ${goesOn}`,
    next: "Check the way there (`kubectl cluster-info`), then run it again; a sandbox's cluster is started by that.",
  },
  {
    code: "FieldConflict",
    message: /server-side apply field conflict|Apply failed with \d+ conflicts?/i,
    what: "someone else manages a field of an object",
    why: "Whoever wrote that field last is another than Kiln (an operator, another program), and the server keeps both from overwriting each other unawares.",
    consequence: `The object stays as the other one left it. ${goesOn}`,
    next: "Agree with who manages the field that the message names: have them let go of it, or change kiln:serving to what they set. To take it over on purpose, set it with `kubectl edit` to what kiln:serving has: what kubectl wrote is in the way of `preview` only, `up` takes it over.",
  },
  {
    code: "ProjectQuotaExceeded",
    message: /exceeded quota/i,
    what: "the project's quota is used up",
    why: "The pods that are asked for would need more than the project's ResourceQuota has left; the message says of what.",
    consequence: `The pods are not made, and what waits for them is not ready. ${goesOn}`,
    next: "Raise kiln:serving.projects[].quota, or ask for less: smaller resources, fewer replicas, models that are stopped.",
  },
  {
    code: "LimitExceeded",
    message: /(?:maximum|minimum) (?:cpu|memory|\S+) usage per (?:Container|Pod)/i,
    what: "a container asks for more than the project allows one",
    why: "The project's LimitRange bounds every single container; sidecars that the cluster adds count, too.",
    consequence: `The pod is not made. ${goesOn}`,
    next: "Lower the resources, or raise kiln:serving.projects[].containers.max.",
  },
  {
    code: "NamespaceTerminating",
    message: /because it is being terminated/i,
    what: "a namespace is on its way out",
    why: "It is being deleted, and in such a one nothing is made any more.",
    consequence: `Nothing can be made in it before it is gone. ${goesOn}`,
    next: "Run it again in a moment. If it stays, `kubectl get namespace -o yaml` says what holds it.",
  },
  {
    code: "FinalizerHangs",
    message:
      /finalizers? (?:remaining|remain|might be preventing)|(?:content|finalizers) in the namespace has|waiting for finalizers/i,
    what: "something holds what is being deleted",
    why: "An object carries a finalizer, and whoever should act on it does not; the message names it.",
    consequence: "The namespace stays, on its way out, until the finalizer is gone; it stays on record.",
    next: "Have the controller that the finalizer belongs to do its work (is its operator still installed?), then run `kiln down` again.",
  },
  {
    code: "KindNotKnown",
    message:
      /no matches for kind|the server could not find the requested resource|ensure CRDs are installed/i,
    what: "the cluster does not know this kind of object",
    why: "Its definition (CRD) is not installed, or was installed a moment ago and is not established yet.",
    consequence: goesOn,
    next: "Have the operator installed that brings it (OpenShift AI, External Secrets, Kueue), wait until it is ready, then run it again.",
  },
  {
    code: "ClusterForbidden",
    message: /is forbidden: User "?[^"]*"? cannot|system:anonymous/i,
    what: "the cluster forbids it",
    why: "Who is signed in has no role that allows it; the message says which verb on what.",
    consequence: `Nothing was changed there. ${goesOn}`,
    next: "Have a role bound (a cluster administrator makes projects), or sign in as someone who has one (`oc login`), then run it again.",
  },
  {
    code: "ClusterUnauthorized",
    message:
      /\bUnauthorized\b|the server has asked for the client to provide credentials|is no user of the sandbox's Kubernetes/,
    what: "the cluster does not accept who is signed in",
    why: "The token in the kubeconfig has expired, or is of another cluster; of the sandbox's principals, the stranger has none.",
    consequence: `Nothing more was changed. ${goesOn}`,
    next: "Sign in again (`oc login`; in the sandbox, as another principal), then run it again.",
  },
  {
    code: "ObjectRefusedByPolicy",
    message:
      /admission webhook \S+ denied the request|is forbidden: violates PodSecurity|unable to validate against any security context constraint/i,
    what: "the cluster's own policies refuse it",
    why: "An admission check of the cluster says no; the message says why.",
    consequence: `The object is not made. ${goesOn}`,
    next: "Change what it objects to, or have the cluster's administrators change the check.",
  },
  {
    code: "ObjectExists",
    message: /The resource already exists in the cluster|\S+ "[^"]+" already exists/i,
    what: "an object of that name is in the cluster, and not on record",
    why: "Someone else made it, or it was made by another checkout with another state backend.",
    consequence: `It is left as it is. ${goesOn}`,
    next: "Delete it by hand if nobody needs it, take it into the state with `pulumi import`, or choose another name.",
  },
  {
    code: "VolumeCannotShrink",
    message: /field can not be less than (?:status\.capacity|previous value)/,
    what: "a volume cannot be made smaller",
    why: "Kubernetes only lets a volume grow: nobody knows what of its content would have to go.",
    consequence: `The volume stays as it was. ${goesOn}`,
    next: "Put storageGib back to what it was, or more. To have a smaller one, make another beside it, move the files, and remove the first.",
  },
  {
    code: "ObjectInvalid",
    message:
      /field is immutable|is invalid:|strict decoding error|unknown field|failed to create typed patch object/i,
    what: "the API server finds an object invalid",
    why: "Its definition does not allow what was asked for; the message names the fields.",
    consequence: `The object stays as it was. ${goesOn}`,
    next: "Correct kiln:serving where the field comes from, then run it again.",
  },
  {
    code: "SecretNotRead",
    message: /could not get secret data from provider|\bSecretSyncedError\b/,
    what: "a secret could not be read from the vault",
    why: "External Secrets looks for it under the name that kiln:serving gives, and it is not there, or the project's identity is not let in (yet: a fresh grant takes minutes); the message says which.",
    consequence: `The Secret in the project is not made, and what needs it is not either. ${goesOn}`,
    next: "Put the value there (`az keyvault secret set --vault-name … --name … --file …`) or correct the name, then run it again.",
  },
  {
    code: "NotReadyInTime",
    message:
      /timed out waiting|timeout waiting|failed to (?:fully initialize or )?become live|was not (?:successfully )?(?:created|ready)|did not become ready|not ready within/i,
    what: "something in the cluster did not get ready in time",
    why: "It was made, and its controller did not report it ready; what it says of it is below.",
    consequence: `It stays as it is, and on record. ${goesOn}`,
    next: "Mend what the message names (an image, a model's path, a size that fits no node), then run it again; `kiln status` shows what is not ready and why.",
  },
];
