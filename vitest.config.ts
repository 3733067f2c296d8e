import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/harness/setup.ts"],
    // Tests by the command wait for a cloud's latencies most of the time, and leave the processors to others meanwhile.
    maxWorkers: Math.max(4, availableParallelism()),
    // The engine and the sandbox are real processes: a slow machine must not turn a slow start into a failure.
    testTimeout: 300_000,
    hookTimeout: 1_200_000,
    coverage: {
      provider: "v8",
      include: ["components", "engine", "labs", "policies", "sandbox", "scripts/lib", "stacks"].map(
        (folder) => `${folder}/**/*.ts`,
      ),
      // These only ever run in processes of their own, where the engine or the sandbox starts them; tests drive them there.
      exclude: [
        "engine/pulumi/install-runner.ts",
        "engine/leash.ts",
        "labs/foundry-backend/server.ts",
        "sandbox/appservice/worker-main.ts",
        "sandbox/daemon.ts",
        "stacks/index.ts",
      ],
      reporter: ["text-summary"],
      // Of what runs in the tests' own processes; the commands that tests start are not counted.
      thresholds: { lines: 90 },
    },
  },
});
