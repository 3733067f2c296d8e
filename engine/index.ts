/**
 * Provides what Kiln runs on. The Pulumi engine: a usable `pulumi` on PATH, else Kiln's cache, else an installation by the Automation
 * API, else a build from Go modules. The Kubernetes control plane: programs on PATH that fit, else Kiln's cache, else a build
 * from Go modules; only where it is asked for.
 */
export { type FindControlPlaneResult, findControlPlane } from "./control-plane/find.ts";
export { provideControlPlane } from "./control-plane/provide.ts";
export { EngineError, type EngineErrorCode } from "./errors.ts";
export { defaultCacheDir } from "./paths.ts";
export { type FindResult, findEngine } from "./pulumi/find.ts";
export { provideEngine } from "./pulumi/provide.ts";
export type {
  Considered,
  ControlPlane,
  Engine,
  EnginePart,
  EngineProgress,
  EngineSource,
  FindOptions,
  ProvideOptions,
} from "./types.ts";
