/** Where a kit comes from: found as it is, or made by Kiln (now, or by an earlier run into the cache). */
export type EngineSource = "path" | "cache-installed" | "cache-built" | "installed" | "built";

/** One place or way that was looked at, and what was found there, in words for people. */
export type Considered = { candidate: string; verdict: string };

/** A Pulumi engine that is complete for Kiln: the CLI, its Node language host, its policy shim. */
export type Engine = {
  /** Absolute path of the `pulumi` executable. */
  pulumi: string;
  /** Folder that belongs first on PATH, so that the CLI finds its own language host and policy shim. */
  binDir: string;
  /** Version of the CLI without a leading `v`, e.g. `3.220.0`. */
  version: string;
  source: EngineSource;
  /** Why this one was chosen, in one sentence. */
  reason: string;
  /** Everything looked at on the way, in order; the chosen one is the last. */
  considered: Considered[];
};

/** What a Kubernetes control plane runs on: its programs, and the definitions of the resources it serves beside its own. */
export interface ControlPlane {
  /** Version of Kubernetes without a leading `v`, e.g. `1.35.4`. */
  readonly version: string;
  /** Absolute paths of the executables. */
  readonly binaries: {
    readonly etcd: string;
    readonly kubeApiserver: string;
    readonly kubeControllerManager: string;
    readonly kubeScheduler: string;
    /** Runs nodes and pods that exist only in the API. */
    readonly kwok: string;
    readonly kubectl: string;
  };
  /** Absolute path of a folder with one `*.yaml` for each CustomResourceDefinition, from the official modules. */
  readonly crds: string;
  /** Where what Kiln keeps comes from; programs on PATH may stand in for some of it. */
  readonly source: EngineSource;
  /** Why these were chosen, in one sentence. */
  readonly reason: string;
  /** Everything looked at on the way, in order. */
  readonly considered: Considered[];
}

/**
 * Something that Kiln keeps complete in its cache or not at all: a folder with programs in `bin`, and what else belongs to
 * them.
 */
export type Kit = {
  /** What people call it, after "the" or "no", e.g. `Pulumi engine`. */
  name: string;
  /** What is in it, with versions, e.g. `Pulumi 3.220.0`. */
  contents: string;
  /** Its own version without a leading `v`. */
  version: string;
  /** Name of its folder in the cache. */
  key: string;
  /** Files without which it is not complete, relative to its folder, e.g. `bin/pulumi`. */
  files: readonly string[];
  /** How much disk a first build needs, in words. */
  room: string;
  /** What may be installed in its place, with an address; undefined when only Go helps. */
  instead?: string;
  /** Says why what lies in `dir` cannot be used, by running it; undefined when it can. */
  check: (dir: string, env: NodeJS.ProcessEnv) => Promise<string | undefined>;
};

/** The parts of making a kit, in the order they may run. */
export type EnginePart =
  | "wait"
  | "install"
  | "modules"
  | "cli"
  | "language-host"
  | "policy-shim"
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubectl"
  | "kwok"
  | "crds"
  | "check";

/** One report while a kit is being made. `running` comes about once a second. */
export type EngineProgress = {
  part: EnginePart;
  /** What the part does, in words for people, e.g. `build the Pulumi CLI`. */
  title: string;
  /** A `skipped` part was tried and could not be done here; another way follows. */
  phase: "started" | "running" | "done" | "skipped" | "failed";
  /** Milliseconds since this part began. */
  elapsedMs: number;
  /** How far it is, e.g. `312 of 1354 packages`. */
  detail?: string;
};

/** What one way of making a kit gets to work with. */
export type MakeContext = {
  kit: Kit;
  /** Empty folder to fill; executables go to its `bin` folder. */
  staging: string;
  /** File for the output of the tools that run; survives a failure. */
  log: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Runs one part and reports its progress; `report` sets the detail shown with it. */
  part: <T>(
    part: EnginePart,
    title: string,
    work: (report: (detail: string) => void) => Promise<T>,
  ) => Promise<T>;
};

/** One way of making a kit. */
export type Way = {
  made: "installed" | "built";
  /** Name for {@link Considered}. */
  candidate: string;
  /** What identifies the result; a kit of another recipe is not taken from the cache. */
  recipe: () => Promise<string>;
  make: (context: MakeContext) => Promise<void>;
};

export type ProvideOptions = {
  /** Folder that keeps kits between runs. @default {@link defaultCacheDir} of `env` */
  cacheDir?: string;
  env: NodeJS.ProcessEnv;
  /** Told about each part of making a kit; never called when one is found. */
  onProgress?: (event: EngineProgress) => void;
  /** Ends the making, with every process it started; nothing half-made stays. */
  signal?: AbortSignal;
  /** How the kit may be made, in order. @default what the kit offers */
  ways?: readonly Way[];
};

export type FindOptions = {
  /** @default {@link defaultCacheDir} of `env` */
  cacheDir?: string;
  env: NodeJS.ProcessEnv;
  /** Hash the cached kit's files instead of comparing sizes and times. @default false */
  verify?: boolean;
  /** What may stand in the cache. @default the recipes of this Kiln */
  recipes?: readonly string[];
};
