import { provideEngine } from "../../engine/index.ts";

/** Provides the engine before the first test, and says what it is doing: the first build takes minutes. */
export default async function setup(): Promise<void> {
  let said = 0;
  const { version, reason } = await provideEngine({
    env: process.env,
    onProgress: ({ title, phase, elapsedMs, detail }) => {
      if (phase === "running" && Date.now() - said < 10_000) return;
      said = Date.now();
      console.error(
        `engine: ${title}: ${phase} (${Math.round(elapsedMs / 1000)} s${detail ? `, ${detail}` : ""})`,
      );
    },
  });
  console.error(`engine: Pulumi ${version} (${reason})`);
}
