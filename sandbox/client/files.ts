import path from "node:path";
import { z } from "zod";

/** What a running daemon writes down so that it can be found. Only its owner can read it. */
export const daemonFileSchema = z.object({
  pid: z.number().int().positive(),
  port: z.number().int().positive(),
  /** Bearer token of the control API. */
  controlToken: z.string().min(1),
  startedAt: z.string(),
});
export type DaemonFile = z.infer<typeof daemonFileSchema>;

/** The places in a sandbox's data folder that others may know. */
export function sandboxPaths(dataDir: string) {
  return {
    daemon: path.join(dataDir, "daemon.json"),
    log: path.join(dataDir, "sandbox.log"),
    /** Pulumi's state of the environments that live in this sandbox. */
    state: path.join(dataDir, "state"),
    /** The state backend's passphrase: one random word per sandbox. */
    passphrase: path.join(dataDir, "passphrase"),
    sites: path.join(dataDir, "sites"),
    secretOf: (principal: string) => path.join(dataDir, "principals", `${principal}.secret`),
    /** A principal's token of the sandbox's GitHub. */
    githubTokenOf: (principal: string) => path.join(dataDir, "principals", `${principal}.github-token`),
    /** A principal's configuration of `gh`, with its token. */
    ghConfigOf: (principal: string) => path.join(dataDir, "principals", `${principal}.gh`),
    /** The content of the repositories on the sandbox's GitHub, one bare repository by id. */
    github: path.join(dataDir, "github"),
    /** The Kubernetes control plane's data. */
    kubernetes: path.join(dataDir, "kubernetes"),
    /** How a user of the cluster signs in: `owner`, `team-lead`, `data-scientist` or `viewer`. */
    kubeconfigOf: (user: string) => path.join(dataDir, "kubernetes", "kubeconfig", `${user}.yaml`),
    assertionOf: (principal: string) => path.join(dataDir, "principals", `${principal}.assertion`),
  };
}
