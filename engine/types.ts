/** Where an engine comes from: found as it is, or made by Kiln (now, or by an earlier run into the cache). */
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

/** The parts of making an engine, in the order they may run. */
export type EnginePart = "wait" | "install" | "modules" | "cli" | "language-host" | "policy-shim" | "check";

/** One report while an engine is being made. `running` comes about once a second. */
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

/** What one way of making an engine gets to work with. */
export type MakeContext = {
  /** Empty folder to fill; the files that make up the engine go to its `bin` folder. */
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

/** One way of making the pinned engine. */
export type Way = {
  made: "installed" | "built";
  /** Name for {@link Considered}. */
  candidate: string;
  /** What identifies the result; an engine of another recipe is not taken from the cache. */
  recipe: () => Promise<string>;
  make: (context: MakeContext) => Promise<void>;
};
