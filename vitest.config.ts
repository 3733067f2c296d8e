import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The engine and the sandbox are real processes: a slow machine must not turn a slow start into a failure.
    testTimeout: 120_000,
    hookTimeout: 1_200_000,
    globalSetup: [],
    coverage: {
      provider: "v8",
      include: ["components/**/*.ts", "engine/**/*.ts", "policies/**/*.ts", "sandbox/**/*.ts", "scripts/lib/**/*.ts", "stacks/**/*.ts"],
      reporter: ["text-summary"],
    },
  },
});
