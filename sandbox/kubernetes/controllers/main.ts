import { parseArgs } from "node:util";
import { Connection } from "../../providers/kubernetes/connection.ts";
import { SharedConfig } from "../../providers/kubernetes/shared-config.ts";
import { operators } from "./operators.ts";
import { ClientApi } from "./runtime/api.ts";
import { Manager } from "./runtime/manager.ts";

/** Requests that are on their way at once; watches come on top. */
const atOnce = 16;

/**
 * The operators' process: `node main.ts --kubeconfig FILE`. It works until its standard input closes, which is when the
 * sandbox that started it ends, however that ends. An API server that is away is waited for.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kubeconfig: { type: "string" } } });
  if (values.kubeconfig === undefined) throw new Error("usage: main.ts --kubeconfig FILE");
  const config = new SharedConfig("kiln-operators");
  config.loadFromFile(values.kubeconfig);
  const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
  const api = new ClientApi(await Connection.open(config, { atOnce }));
  const manager = new Manager({ api, controllers: operators(), log });

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
