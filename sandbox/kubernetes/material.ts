import { createPublicKey, generateKeyPair, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { openAuthority } from "../core/authority.ts";
import type { Cloud } from "../core/cloud.ts";
import { writePrivate } from "../core/files.ts";
import { schedulerConfig } from "./commands.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { KubernetesPaths } from "./paths.ts";
import { type KubernetesUser, people, systemUsers, tokenFile } from "./users.ts";

const day = 24 * 60 * 60 * 1000;

/** What each certificate is for; etcd is its own peer, and asks itself as a client. */
const certificates = {
  server: {
    name: "kube-apiserver",
    hosts: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
    // The service's address in the cluster.
    addresses: ["127.0.0.1", "172.30.0.1"],
    usages: ["server"],
  },
  etcd: { name: "etcd", hosts: ["localhost"], addresses: ["127.0.0.1"], usages: ["server", "client"] },
  "etcd-client": { name: "kube-apiserver-etcd-client", usages: ["client"] },
} as const;

/** Makes what is missing of the control plane's keys and certificates; a certificate is renewed a month before its end. */
export async function ensureCertificates(paths: KubernetesPaths): Promise<void> {
  const { tls } = paths;
  const due = Object.entries(certificates).filter(
    ([name]) => !isGood(tls(`${name}.pem`), tls(`${name}.key`)),
  );
  if (due.length > 0) {
    const authority = await openAuthority(
      { key: tls("ca.key"), cert: tls("ca.pem") },
      "Kiln Kubernetes authority",
    );
    for (const [name, request] of due) {
      const { key, cert } = await authority.issue(request);
      writePrivate(tls(`${name}.key`), key);
      writePrivate(tls(`${name}.pem`), cert);
    }
  }
  if (!existsSync(tls("service-account.pub"))) {
    // RSA: Entra ID takes no other signature of a foreign issuer.
    const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
    writePrivate(tls("service-account.key"), privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const pub = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
    writePrivate(tls("service-account.pub"), pub);
  }
}

function isGood(cert: string, key: string): boolean {
  if (!existsSync(cert) || !existsSync(key)) return false;
  try {
    return Date.parse(new X509Certificate(readFileSync(cert, "utf8")).validTo) > Date.now() + 30 * day;
  } catch {
    return false;
  }
}

const tokensKind = "kubernetes-tokens";

/** The user's token, made on first use and the same until the sandbox is reset. */
export function tokenOf(cloud: Cloud, { name }: KubernetesUser): string {
  const tokens = cloud.store.collection<string>(tokensKind);
  let token = tokens.get(name);
  if (token === undefined) {
    token = cloud.mint.openShiftToken(`Kubernetes user ${name}`);
    tokens.put(name, token);
  }
  return token;
}

/** Writes who may sign in, for the API server, and how, for everybody else. */
export function writeSignIns(cloud: Cloud, paths: KubernetesPaths, server: string): void {
  const ca = readFileSync(paths.tls("ca.pem"), "utf8");
  const write = (file: string, user: KubernetesUser): void =>
    writePrivate(file, kubeconfig({ server, ca, user: user.name, token: tokenOf(cloud, user) }));
  const everybody = [...people, ...Object.values(systemUsers)];
  writePrivate(paths.tokens, tokenFile(everybody.map((user) => ({ ...user, token: tokenOf(cloud, user) }))));
  for (const user of people) write(paths.kubeconfigOf(user.name), user);
  for (const key of ["controllerManager", "scheduler", "kwok", "controllers"] as const)
    write(paths.systemKubeconfigOf(key), systemUsers[key]);
  writePrivate(paths.schedulerConfig, schedulerConfig(paths.systemKubeconfigOf("scheduler")));
  // Whoever has it can be any service account.
  cloud.mint.remember(
    readFileSync(paths.tls("service-account.key"), "utf8").trim(),
    "signing-key",
    "Kubernetes service accounts",
  );
}
