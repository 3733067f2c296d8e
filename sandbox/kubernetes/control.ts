import path from "node:path";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { KubernetesControlPlane } from "./control-plane.ts";

const absolute = z.string().refine((file) => path.isAbsolute(file), "must be an absolute path");

/** What else the caller knows of its control plane is left aside. */
const filesSchema = z.object({
  binaries: z.object({
    etcd: absolute,
    kubeApiserver: absolute,
    kubeControllerManager: absolute,
    kubeScheduler: absolute,
    kwok: absolute,
  }),
  crds: absolute,
});

/** `/control/kubernetes`: starts, shows and stops the control plane. */
export function kubernetesControls(app: FastifyInstance, kubernetes: KubernetesControlPlane): void {
  app.get("/control/kubernetes", async () => kubernetes.status());
  app.post("/control/kubernetes", async (request) => kubernetes.start(filesSchema.parse(request.body)));
  app.delete("/control/kubernetes", async () => kubernetes.stop());
}
