import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { dnsLabelProblem, imageProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { amountProblem, gibQuantity } from "../shared/quantities.ts";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type Transform, transformed } from "../shared/transform.ts";
import { type FieldProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import { type ContainerResources, containerResources, resourceProblems } from "./container.ts";
import { type ProjectPlace, placed } from "./place.ts";
import { GPU_RESOURCE } from "./quota.ts";

/** A format of models that a runtime serves. */
export interface ModelFormat {
  /** For example `vLLM`, `onnx`, `sklearn`. */
  readonly name: string;
  /** @default any */
  readonly version?: string;
}

/** A runtime as models name it. A {@link ServingRuntime} is one; one that others manage is given by its name alone. */
export interface RuntimeRef {
  readonly runtimeName: string;
  /** What it serves, to refuse a model of another format. @default not checked here */
  readonly formats?: readonly ModelFormat[];
  /** Port at which its containers answer. @default 8080 */
  readonly port?: number;
  /** The object, where it is of the same stack. */
  readonly runtime?: Resource;
}

/** What a caller may change of the container that serves. */
export interface ServingContainerAdjustments {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Probes and the like, as Kubernetes spells them. */
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
  readonly startupProbe?: object;
}

/** Arguments of {@link ServingRuntime}. */
export interface ServingRuntimeArgs {
  readonly project: ProjectPlace;
  /** Name of the runtime: a DNS label. */
  readonly runtimeName: string;
  /** What the dashboard shows. @default the name */
  readonly displayName?: string;
  readonly tags: Tags;
  /** Image by digest: `registry/repository@sha256:<64 hex digits>`. */
  readonly image: string;
  /** Entry of the image's own otherwise. */
  readonly command?: readonly string[];
  /** `{{.Name}}` stands for the model's name; the model lies in /mnt/models. @default none */
  readonly args?: readonly string[];
  /** Not for secrets: these stand in the cluster in the open. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** At least one. */
  readonly formats: readonly ModelFormat[];
  /** TCP port at which the container answers, 1024 to 65535, since it does not run as root. @default 8080 */
  readonly port?: number;
  /** What the container gets unless a model says otherwise. */
  readonly resources: ContainerResources;
  /** /dev/shm in GiB, counted as memory; vLLM with more than one GPU needs it. @default the image's own 64 MiB */
  readonly sharedMemoryGib?: number;
  /** How models are called. @default "REST" */
  readonly api?: "REST" | "gRPC";
  readonly transform?: { readonly container?: Transform<ServingContainerAdjustments> };
}

const PORT = 8080;

/** A way of serving models in a project: the image and what it needs, for each model a container of its own. */
export class ServingRuntime extends ComponentResource implements RuntimeRef {
  readonly runtimeName: string;
  readonly formats: readonly ModelFormat[];
  readonly port: number;
  readonly runtime: Resource;

  constructor(name: string, args: ServingRuntimeArgs, options?: ComponentResourceOptions) {
    requireValid("ServingRuntime", servingRuntimeProblems(args));
    super("kiln:openshift:ServingRuntime", name, {}, options);

    const { displayName = args.runtimeName, api = "REST" } = args;
    this.runtimeName = args.runtimeName;
    this.formats = args.formats;
    this.port = args.port ?? PORT;
    this.runtime = new CustomResource(
      name,
      {
        apiVersion: "serving.kserve.io/v1alpha1",
        kind: "ServingRuntime",
        metadata: {
          name: args.runtimeName,
          namespace: args.project.namespace,
          labels: { ...kubernetesLabels(args.tags), "opendatahub.io/dashboard": "true" },
          annotations: {
            "openshift.io/display-name": displayName,
            "opendatahub.io/apiProtocol": api,
            ...acceleratorAnnotation(args.resources),
          },
        },
        spec: servingRuntimeSpec(args),
      },
      placed(args.project, { parent: this }),
    );
    this.registerOutputs({ runtimeName: this.runtimeName });
  }
}

function acceleratorAnnotation({ gpus = 0, gpuResource = GPU_RESOURCE }: ContainerResources) {
  return gpus === 0 ? {} : { "opendatahub.io/recommended-accelerators": JSON.stringify([gpuResource]) };
}

/** What KServe is told of a runtime. Pure. */
export function servingRuntimeSpec(args: ServingRuntimeArgs) {
  const { port = PORT, sharedMemoryGib, command, args: words = [] } = args;
  const env = Object.entries(args.env ?? {}).map(([name, value]) => ({ name, value }));
  const shared = sharedMemoryGib === undefined ? [] : [sharedMemoryGib];
  return {
    multiModel: false,
    annotations: { "prometheus.io/port": String(port), "prometheus.io/path": "/metrics" },
    supportedModelFormats: args.formats.map(({ name, version }) => ({
      name,
      ...(version === undefined ? {} : { version }),
      // Models name their runtime; nothing is chosen behind anybody's back.
      autoSelect: false,
    })),
    containers: [
      {
        ...transformed<ServingContainerAdjustments>({ env }, args.transform?.container),
        // The one name that KServe looks for.
        name: "kserve-container",
        image: args.image,
        ...(command === undefined ? {} : { command: [...command] }),
        ...(words.length === 0 ? {} : { args: [...words] }),
        ports: [{ name: "http1", containerPort: port, protocol: "TCP" }],
        resources: containerResources(args.resources),
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          privileged: false,
          runAsNonRoot: true,
          seccompProfile: { type: "RuntimeDefault" },
        },
        ...(shared.length === 0 ? {} : { volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }] }),
      },
    ],
    ...(shared.length === 0
      ? {}
      : {
          volumes: shared.map((gib) => ({
            name: "shm",
            emptyDir: { medium: "Memory", sizeLimit: gibQuantity(gib) },
          })),
        }),
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function servingRuntimeProblems(args: ServingRuntimeArgs): FieldProblem[] {
  const { port = PORT, sharedMemoryGib, formats } = args;
  return [
    dnsLabelProblem("runtimeName", args.runtimeName),
    imageProblem("image", args.image),
    ...tagProblems(args.tags),
    formats.length === 0
      ? { field: "formats", message: "are none; a runtime serves at least one" }
      : undefined,
    ...formats.map(({ name }, index) =>
      /^[\w.-]+$/.test(name)
        ? undefined
        : { field: `formats[${index}].name`, message: `"${name}" is no format` },
    ),
    ...Object.keys(args.env ?? {}).map((key) =>
      /^[A-Za-z_]\w*$/.test(key) ? undefined : { field: `env.${key}`, message: "is no name of a variable" },
    ),
    rangeProblem("port", port, 1024, 65_535, "ports"),
    ...resourceProblems("resources", args.resources, args.project),
    ...sharedMemoryProblems(sharedMemoryGib, args.resources),
  ].filter((problem) => problem !== undefined);
}

function sharedMemoryProblems(gib: number | undefined, { limits }: ContainerResources) {
  if (gib === undefined) return [];
  return [
    amountProblem("sharedMemoryGib", gib, { min: 1 / 16, max: 1024, stepsPerUnit: 1024, unit: "GiB" }),
    gib > limits.memoryGib
      ? {
          field: "sharedMemoryGib",
          message: `is ${gib} and counts as memory, of which resources.limits.memoryGib allows ${limits.memoryGib}`,
        }
      : undefined,
  ];
}
