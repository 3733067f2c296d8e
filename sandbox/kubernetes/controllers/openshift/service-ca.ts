import { X509Certificate } from "node:crypto";
import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import {
  type ConfigMap,
  isBeingDeleted,
  type KubeObject,
  keyOf,
  ownerReferenceOf,
  type Secret,
  type Service,
  splitKey,
} from "../runtime/objects.ts";
import { issueServingCertificate, makeAuthority, type Signer } from "./certificates.ts";

const wanted = "service.beta.openshift.io/serving-cert-secret-name";
const inject = "service.beta.openshift.io/inject-cabundle";
const signedBy = "service.beta.openshift.io/serving-cert-signed-by";
/** Where the authority's key is kept, as on OpenShift. */
const home = { namespace: "openshift-service-ca", name: "signing-key" };
const day = 24 * 60 * 60 * 1000;

/** OpenShift's service CA operator: serving certificates for Services, and its own certificate for who asks in a ConfigMap. */
export function serviceCaControllers(): Controller[] {
  const authority = new Authority();
  return [servingCertificates(authority), bundles(authority)];
}

/** The authority, made once and kept in the cluster, so that it stays the same. */
class Authority {
  #signer: Promise<Signer> | undefined;

  async signer(cluster: Cluster): Promise<Signer> {
    this.#signer ??= this.#open(cluster);
    try {
      return await this.#signer;
    } catch (error) {
      this.#signer = undefined;
      throw error;
    }
  }

  async #open(cluster: Cluster): Promise<Signer> {
    const kept = cluster.get<Secret>(kinds.secret, home.namespace, home.name);
    const pem = (key: string): string => Buffer.from(kept?.data?.[key] ?? "", "base64").toString("utf8");
    if (kept !== undefined) return { certificate: pem("tls.crt"), key: pem("tls.key") };
    const made = await makeAuthority();
    await cluster.ensure(kinds.namespace, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: home.namespace },
    });
    await cluster.api.create(kinds.secret, tlsSecret(home.namespace, home.name, made, {}));
    return made;
  }
}

function tlsSecret(namespace: string, name: string, { certificate, key }: Signer, rest: object): Secret {
  const encoded = (text: string): string => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, ...rest },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encoded(certificate), "tls.key": encoded(key) },
  };
}

/** The names under which a Service is called. Pure. */
export function servingNames({ metadata: { name, namespace } }: Service): string[] {
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}

/** Whether a Service's certificate is good for another month, for its names, from this authority. Pure but for the time. */
export function isGood(
  secret: Secret | undefined,
  service: Service,
  authority: string,
  now: number,
): boolean {
  const text = Buffer.from(secret?.data?.["tls.crt"] ?? "", "base64").toString("utf8");
  if (text === "" || (secret?.data?.["tls.key"] ?? "") === "") return false;
  try {
    const certificate = new X509Certificate(text);
    return (
      servingNames(service).every((name) => certificate.checkHost(name) !== undefined) &&
      certificate.verify(new X509Certificate(authority).publicKey) &&
      Date.parse(certificate.validTo) > now + 30 * day
    );
  } catch {
    return false;
  }
}

function servingCertificates(authority: Authority): Controller {
  return {
    name: "serving-certificates",
    of: kinds.service,
    owns: [kinds.secret],
    reconcile: async (key, cluster) => {
      const { namespace, name } = splitKey(key);
      const service = cluster.get<Service>(kinds.service, namespace, name);
      const secretName = service?.metadata.annotations?.[wanted];
      if (service === undefined || secretName === undefined || isBeingDeleted(service)) return undefined;
      const signer = await authority.signer(cluster);
      const known = cluster.get<Secret>(kinds.secret, namespace, secretName);
      if (isGood(known, service, signer.certificate, cluster.timers.now())) return undefined;
      const issued = await issueServingCertificate(signer, servingNames(service));
      const secret = tlsSecret(namespace ?? "", secretName, issued, {
        ownerReferences: [ownerReferenceOf(service)],
        annotations: {
          "service.beta.openshift.io/originating-service-name": name,
          "service.beta.openshift.io/originating-service-uid": service.metadata.uid ?? "",
        },
      });
      await cluster.ensure(kinds.secret, secret);
      const by = new X509Certificate(signer.certificate).subject.replace(/^CN=/, "");
      if (service.metadata.annotations?.[signedBy] !== by) {
        await cluster.api.merge(kinds.service, service, { metadata: { annotations: { [signedBy]: by } } });
      }
      return undefined;
    },
  };
}

function bundles(authority: Authority): Controller {
  return {
    name: "service-ca-bundles",
    of: kinds.configMap,
    reconcile: async (key, cluster) => {
      const { namespace, name } = splitKey(key);
      const map = cluster.get<ConfigMap>(kinds.configMap, namespace, name);
      if (map === undefined || isBeingDeleted(map) || !wantsBundle(map)) return undefined;
      const { certificate } = await authority.signer(cluster);
      if (map.data?.["service-ca.crt"] === certificate) return undefined;
      // What else such a ConfigMap holds is taken away, as the real operator does.
      const others = Object.keys(map.data ?? {}).map((field) => [field, null] as const);
      const data = { ...Object.fromEntries(others), "service-ca.crt": certificate };
      await cluster.api.merge(kinds.configMap, map, { data });
      return undefined;
    },
  };
}

function wantsBundle(map: KubeObject): boolean {
  return map.metadata.annotations?.[inject] === "true";
}

/** Every namespace has the authority's certificate, in a ConfigMap of this name, as OpenShift publishes it. */
export const publishedBundle = "openshift-service-ca.crt";

/** OpenShift's publisher of that ConfigMap. */
export const bundlePublisher: Controller = {
  name: "service-ca-publisher",
  of: kinds.namespace,
  also: [
    {
      kind: kinds.configMap,
      keysOf: (map) => (map.metadata.name === publishedBundle ? [map.metadata.namespace ?? ""] : []),
    },
  ],
  reconcile: async (name, cluster) => {
    const namespace = cluster.get(kinds.namespace, undefined, name);
    if (namespace === undefined || isBeingDeleted(namespace)) return undefined;
    if (cluster.get(kinds.configMap, name, publishedBundle) !== undefined) return undefined;
    await cluster.ensure(kinds.configMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: publishedBundle, namespace: keyOf(namespace), annotations: { [inject]: "true" } },
    });
    return undefined;
  },
};
