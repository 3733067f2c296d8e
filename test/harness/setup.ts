import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { findControlPlane, provideEngine } from "../../engine/index.ts";
import { controlPlane, tell } from "./control-plane.ts";
import { reaches } from "./imports.ts";

const tests = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const harness = fileURLToPath(new URL("./control-plane.ts", import.meta.url));

/**
 * Provides what the tests run on before the first one, and says what it is doing: the first build takes minutes. The control plane
 * only where a test file that is to run needs it.
 */
export default async function setup({ vitest }: TestProject): Promise<void> {
  const { version, reason } = await provideEngine({ env: process.env, onProgress: tell });
  console.error(`engine: Pulumi ${version} (${reason})`);
  const found = await findControlPlane({ env: process.env });
  if (found.controlPlane !== undefined) {
    console.error(`engine: Kubernetes ${found.controlPlane.version} (${found.controlPlane.reason})`);
  } else if (reaches(vitest.state.getPaths(), harness, tests)) {
    console.error("engine: the Kubernetes control plane has to be built; the first time this takes minutes");
    const made = await controlPlane();
    console.error(`engine: Kubernetes ${made.version} (${made.reason})`);
  }
}
