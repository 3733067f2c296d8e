/** The files that a control plane runs from, as absolute paths. */
export interface ControlPlaneFiles {
  readonly binaries: {
    readonly etcd: string;
    readonly kubeApiserver: string;
    readonly kubeControllerManager: string;
    readonly kubeScheduler: string;
    readonly kwok: string;
  };
  /** Folder with one `*.yaml` for each custom resource definition. */
  readonly crds: string;
}

/** The sandbox's Kubernetes, as its control API tells it. */
export interface KubernetesStatus {
  /** Whether it answers, with all that it is set up with. */
  readonly running: boolean;
  readonly state: "stopped" | "starting" | "running" | "failed";
  /** Why it failed. */
  readonly reason?: string;
  /** `https://127.0.0.1:PORT` */
  readonly server?: string;
  /** File of the authority's certificate. */
  readonly caCertificate?: string;
  /** Context in every kubeconfig. */
  readonly context: string;
  /** The owner's kubeconfig. */
  readonly kubeconfig?: string;
  readonly users: readonly {
    readonly name: string;
    readonly groups: readonly string[];
    readonly kubeconfig: string;
  }[];
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number | undefined;
    /** How often it ended by itself and was started again since the control plane was started. */
    readonly restarts: number;
    readonly log: string;
  }[];
}
