import { existsSync, readFileSync } from "node:fs";
import { LRUCache } from "lru-cache";
import { UnreachableError } from "./api-error.ts";
import type { Cluster } from "./apply.ts";
import { KubeClient } from "./client.ts";
import { Discovery } from "./discovery.ts";
import { Informers } from "./informers.ts";
import { kubeconfigText, notRunning, noUser, targetOf } from "./kubeconfig.ts";

/** One API server as one user. */
export interface OpenCluster extends Cluster {
  readonly informers: Informers;
  /** Of the kubeconfig's context. */
  readonly namespace: string | undefined;
}

/** Connections for so many kubeconfigs are kept. */
const maxClusters = 20;

/** The clusters that sessions use: sessions with the same kubeconfig share connections, watches and what is known. */
export class Clusters {
  readonly #ambient: () => string | undefined;
  readonly #open = new LRUCache<string, Promise<OpenCluster>>({
    max: maxClusters,
    dispose: (cluster) => void cluster.then(close, () => {}),
  });

  /** @param ambient the path of the kubeconfig of whoever runs the engine; undefined while there is no API server */
  constructor(ambient: () => string | undefined) {
    this.#ambient = ambient;
  }

  /** @throws UnreachableError when there is no API server; Error when the configuration leads elsewhere */
  async of(config: Readonly<Record<string, string>>): Promise<OpenCluster> {
    const file = this.#ambient();
    if (file === undefined) throw new UnreachableError(notRunning);
    if (!existsSync(file)) throw new Error(noUser);
    const ambient = readFileSync(file, "utf8");
    const wanted = {
      kubeconfig: config.kubeconfig ? kubeconfigText(config.kubeconfig) : undefined,
      context: config.context || undefined,
      cluster: config.cluster || undefined,
    };
    const key = JSON.stringify([ambient, wanted]);
    let opening = this.#open.get(key);
    if (opening === undefined) {
      opening = targetOf(wanted, ambient).then((target) => {
        const client = new KubeClient(target.connection);
        const informers = new Informers(client);
        return { client, discovery: new Discovery(client), informers, namespace: target.namespace };
      });
      this.#open.set(key, opening);
      opening.catch(() => this.#open.delete(key));
    }
    return opening;
  }

  close(): void {
    this.#open.clear();
  }
}

function close(cluster: OpenCluster): void {
  cluster.informers.close();
  void cluster.client.close();
}
