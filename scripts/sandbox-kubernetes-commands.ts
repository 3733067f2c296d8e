import { type Command, Option } from "commander";
import type { Run } from "./lib/session.ts";

/** `kiln sandbox kubernetes …`: the local cloud's cluster. */
export function addKubernetesCommands(
  sandbox: Command,
  command: (parent: Command, usage: string, description: string) => Command,
  run: Run,
): void {
  const load = () => import("./verbs/sandbox-kubernetes.ts");
  const kubernetes = sandbox
    .command("kubernetes")
    .description("its Kubernetes: a real API server for models, notebooks and pipelines");
  command(
    kubernetes,
    "start",
    "start it, unless it runs; the first time it has to be built, which takes minutes",
  ).action(() => run(async (context) => (await load()).start(context)));
  command(kubernetes, "stop", "stop it; what it holds stays").action(() =>
    run(async (context) => (await load()).stop(context)),
  );
  command(kubernetes, "status", "where it is, who can sign in, what runs").action(() =>
    run(async (context) => (await load()).status(context)),
  );
  command(kubernetes, "kubeconfig", "the file by which one of its users signs in")
    .addOption(
      new Option("--as <user>", "who")
        .choices(["owner", "team-lead", "data-scientist", "viewer"])
        .default("owner"),
    )
    .action((options: { as: string }) => run(async (context) => (await load()).kubeconfig(context, options)));
}
