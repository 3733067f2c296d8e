import type { webcrypto } from "node:crypto";

/** A certificate with its key, both PEM. */
export interface Signer {
  readonly certificate: string;
  readonly key: string;
}

const day = 24 * 60 * 60 * 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Loaded only when a certificate is to be made: the library is slow to start. */
async function library() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

/** The authority of a cluster's Services: 26 months, as OpenShift's. */
export async function makeAuthority(): Promise<Signer> {
  const x509 = await library();
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=openshift-service-serving-signer@${Math.floor(Date.now() / 1000)}`,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 790 * day),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await pemOf(keys.privateKey) };
}

/** A certificate for a Service, signed by the authority, whose certificate follows it. */
export async function issueServingCertificate(authority: Signer, names: readonly string[]): Promise<Signer> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const raw = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey("pkcs8", raw, algorithm, true, ["sign"]);
  const keys = await makeKeys();
  // A common name has at most 64 characters; clients look at the other names anyway.
  const [name = ""] = names;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name.slice(0, 64)}`,
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 730 * day),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return {
    certificate: `${certificate.toString("pem")}\n${authority.certificate.trimEnd()}\n`,
    key: await pemOf(keys.privateKey),
  };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const { PemConverter } = await library();
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
