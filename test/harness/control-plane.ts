import { writeSync } from "node:fs";
import { type ControlPlane, type EngineProgress, provideControlPlane } from "../../engine/index.ts";

let provided: Promise<ControlPlane> | undefined;

/**
 * The Kubernetes control plane that tests run on: found the way `kiln` does, or made once; asked again, it is the same. The run's
 * setup makes it before the first test when a test file that is to run imports this one, so only a file that needs it should.
 */
export function controlPlane(): Promise<ControlPlane> {
  provided ??= provideControlPlane({ env: process.env, onProgress: tell });
  return provided;
}

let said = 0;

/** Tells which part of a kit is being made. Past vitest, which would hold it back until the test has ended. */
export function tell({ title, phase, elapsedMs, detail }: EngineProgress): void {
  if (phase === "running" && Date.now() - said < 10_000) return;
  said = Date.now();
  const more = detail === undefined ? "" : `, ${detail}`;
  writeSync(2, `engine: ${title}: ${phase} (${Math.round(elapsedMs / 1000)} s${more})\n`);
}
