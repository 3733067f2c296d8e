import { parseArgs } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { operators } from "./operators.ts";
import { HttpsApi } from "./runtime/api.ts";
import { Manager } from "./runtime/manager.ts";

/**
 * The operators' process: `node main.ts --kubeconfig FILE`. It works until its standard input closes, which is when the
 * sandbox that started it ends, however that ends. An API server that is away is waited for.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kubeconfig: { type: "string" } } });
  if (values.kubeconfig === undefined) throw new Error("usage: main.ts --kubeconfig FILE");
  const config = new KubeConfig();
  config.loadFromFile(values.kubeconfig);
  const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
  const manager = new Manager({ api: new HttpsApi(config), controllers: operators(), log });

  const stop = (): void => {
    void manager.stop().finally(() => process.exit(0));
  };
  process.stdin.on("end", stop);
  process.stdin.on("close", stop);
  process.stdin.on("error", stop);
  process.stdin.resume();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // A mistake with one object must not end the work on all others.
  process.on("unhandledRejection", (error) =>
    log(`unhandled: ${error instanceof Error ? error.stack : error}`),
  );
  process.on("uncaughtException", (error) => log(`uncaught: ${error.stack}`));

  await manager.start(config);
  log(`watching ${manager.kinds.length} kinds`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
