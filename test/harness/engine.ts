import { provideEngine } from "../../engine/index.ts";

/** The Pulumi engine that tests run on. */
export interface TestEngine {
  /** Absolute path of the `pulumi` executable. */
  readonly pulumi: string;
  /** Folder that belongs first on PATH. */
  readonly binDir: string;
  readonly version: string;
}

let engine: Promise<TestEngine> | undefined;

/** Finds the engine the way `kiln` does, or makes it once; asked again, it is the same. */
export function testEngine(): Promise<TestEngine> {
  engine ??= provideEngine({ env: process.env });
  return engine;
}
