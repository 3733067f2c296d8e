import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import {
  issueServingCertificate,
  makeAuthority,
} from "../../../sandbox/kubernetes/controllers/openshift/certificates.ts";
import { isGood, servingNames } from "../../../sandbox/kubernetes/controllers/openshift/service-ca.ts";
import type { Secret, Service } from "../../../sandbox/kubernetes/controllers/runtime/objects.ts";

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "agent", namespace: "kiln-dev-agent", uid: "1" },
} as Service;
const day = 24 * 60 * 60 * 1000;

async function issued() {
  const authority = await makeAuthority();
  const { certificate, key } = await issueServingCertificate(authority, servingNames(service));
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  const secret = { data: { "tls.crt": encoded(certificate), "tls.key": encoded(key) } } as unknown as Secret;
  return { authority, certificate, secret };
}

test("a certificate that was just issued is good, and stays as it is", async () => {
  const { authority, secret } = await issued();
  expect(isGood(secret, service, authority.certificate, Date.now())).toBe(true);
});

test("the authority's certificate follows it, each a block of its own", async () => {
  const { authority, certificate } = await issued();
  const blocks = certificate.match(/-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\n/g) ?? [];
  expect(blocks.map((text) => new X509Certificate(text).subject)).toEqual([
    "CN=agent.kiln-dev-agent.svc",
    new X509Certificate(authority.certificate).subject,
  ]);
});

test("another authority, another Service and the last month make it a bad one", async () => {
  const { authority, secret } = await issued();
  const other = await makeAuthority();
  const elsewhere = { ...service, metadata: { ...service.metadata, name: "other" } };
  expect(isGood(secret, service, other.certificate, Date.now())).toBe(false);
  expect(isGood(secret, elsewhere, authority.certificate, Date.now())).toBe(false);
  expect(isGood(secret, service, authority.certificate, Date.now() + 710 * day)).toBe(false);
  expect(isGood(undefined, service, authority.certificate, Date.now())).toBe(false);
});
