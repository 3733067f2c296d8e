import { z } from "zod";
import type { EnvironmentKind } from "./environment.ts";
import { flag, section, text } from "./schema-parts.ts";

/** The cluster that serving is built on. */
export interface ClusterConfig {
  /** Context of the kubeconfig. @default the kubeconfig's current one; in the sandbox always the sandbox's own */
  readonly context: string | undefined;
}

/** What the serving system of one environment is made of. */
export interface ServingConfig {
  /** Whether this environment has serving. @default false */
  readonly enabled: boolean;
  readonly cluster: ClusterConfig;
}

/** The schema of `kiln:serving`, with the defaults of the given kind of environment. Pure. */
export function servingSchema(_kind: EnvironmentKind) {
  const cluster = z.strictObject(
    { context: text("a context of the kubeconfig", /^\S+$/, 253).optional() },
    { error: section },
  );
  return z
    .strictObject({ enabled: flag().default(false), cluster: cluster.prefault({}) }, { error: section })
    .transform((value): ServingConfig => ({ ...value, cluster: { context: value.cluster.context } }));
}
