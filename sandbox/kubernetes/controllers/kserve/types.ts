import type {
  Condition,
  Container,
  KubeObject,
  PodSpec,
  Resources,
  Strings,
  Volume,
} from "../runtime/objects.ts";

export interface ModelFormat {
  readonly name: string;
  readonly version?: string;
}

/** `spec.predictor.model`: which model, and what its container has beside what the runtime says. */
export interface Model extends Partial<Container> {
  readonly modelFormat: ModelFormat;
  readonly runtime?: string;
  readonly runtimeVersion?: string;
  readonly protocolVersion?: string;
  readonly storageUri?: string;
  readonly storage?: {
    /** Name of the data connection. */
    readonly key?: string;
    readonly path?: string;
    readonly storageUri?: string;
    readonly parameters?: Strings;
  };
  readonly resources?: Resources;
}

export interface Predictor extends Partial<PodSpec> {
  readonly model?: Model;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly scaleMetric?: string;
  readonly scaleTarget?: number;
  readonly autoScaling?: { readonly metrics?: readonly unknown[] };
  readonly deploymentStrategy?: unknown;
  readonly timeout?: number;
  readonly labels?: Strings;
  readonly annotations?: Strings;
}

export interface FailureInfo {
  readonly reason?: string;
  readonly message?: string;
  readonly location?: string;
  readonly exitCode?: number;
  readonly time?: string;
}

export interface ModelStatus {
  readonly transitionStatus: string;
  readonly states?: { readonly activeModelState: string; readonly targetModelState?: string };
  readonly lastFailureInfo?: FailureInfo;
  readonly copies?: { readonly failedCopies: number; readonly totalCopies?: number };
}

export interface InferenceServiceStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly url?: string;
  readonly address?: { readonly url: string };
  readonly components?: Readonly<Record<string, { readonly url?: string }>>;
  readonly modelStatus?: ModelStatus;
  readonly deploymentMode?: string;
}

export interface InferenceService extends KubeObject {
  readonly spec: {
    readonly predictor: Predictor;
    readonly transformer?: unknown;
    readonly explainer?: unknown;
  };
  readonly status?: InferenceServiceStatus;
}

export interface SupportedModelFormat extends ModelFormat {
  readonly autoSelect?: boolean;
  readonly priority?: number;
}

export interface ServingRuntime extends KubeObject {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
    readonly supportedModelFormats?: readonly SupportedModelFormat[];
    readonly protocolVersions?: readonly string[];
    readonly disabled?: boolean;
    readonly multiModel?: boolean;
    readonly workerSpec?: unknown;
    readonly labels?: Strings;
    readonly annotations?: Strings;
    readonly [field: string]: unknown;
  };
}

/** Labels and annotations that the platform reads. */
export const marks = {
  inferenceService: "serving.kserve.io/inferenceservice",
  deploymentMode: "serving.kserve.io/deploymentMode",
  autoscalerClass: "serving.kserve.io/autoscalerClass",
  stop: "serving.kserve.io/stop",
  visibility: "networking.kserve.io/visibility",
  auth: "security.opendatahub.io/enable-auth",
  storageSecretName: "serving.kserve.io/storageSecretName",
  routeTimeout: "haproxy.router.openshift.io/timeout",
  servingCertificate: "service.beta.openshift.io/serving-cert-secret-name",
  /**
   * The sandbox's own: on a pod (or anything that hands its annotations on to pods, such as an InferenceService or a
   * Deployment's template) its first container fails with these words; on a data connection, models fail to pull from it.
   */
  fail: "sandbox.kiln/fail",
} as const;

/** The model server's container, by which KServe finds it. */
export const modelContainer = "kserve-container";
export const storageInitializer = "storage-initializer";

export function predictorName(service: InferenceService): string {
  return `${service.metadata.name}-predictor`;
}

export function isStopped(service: InferenceService): boolean {
  return service.metadata.annotations?.[marks.stop]?.toLowerCase() === "true";
}

export function isExposed(service: InferenceService): boolean {
  return service.metadata.labels?.[marks.visibility] === "exposed";
}

export function wantsAuth(service: InferenceService): boolean {
  return service.metadata.annotations?.[marks.auth]?.toLowerCase() === "true";
}
