import { type webcrypto, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { writePrivate } from "../core/files.ts";
import { certificateNames } from "./hosts.ts";

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  /** The authority's certificate. */
  readonly ca: string;
  /** Its file, which clients are told to trust. */
  readonly caFile: string;
}

const day = 24 * 60 * 60 * 1000;

/**
 * The sandbox's TLS material: its own authority and one server certificate with the cloud's wildcard names, kept in the
 * data folder. The authority stays the same as long as the data folder lives, so that a client's bundle stays good; the
 * server certificate is renewed a month before its end, or when the names changed.
 */
export async function tlsMaterial(dataDir: string): Promise<TlsMaterial> {
  const file = (name: string): string => path.join(dataDir, "tls", name);
  const files = {
    caKey: file("ca.key"),
    ca: file("ca.pem"),
    key: file("server.key"),
    cert: file("server.pem"),
  };
  const names = certificateNames();
  if (
    !Object.values(files).every((each) => existsSync(each)) ||
    !stillGood(readFileSync(files.cert, "utf8"), names)
  ) {
    await issue(files, names);
  }
  return {
    key: readFileSync(files.key, "utf8"),
    cert: readFileSync(files.cert, "utf8"),
    ca: readFileSync(files.ca, "utf8"),
    caFile: files.ca,
  };
}

function stillGood(pem: string, names: readonly string[]): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const expected = names.every((name) => certificate.checkHost(name.replace("*", "x")) !== undefined);
    return expected && Date.parse(certificate.validTo) > Date.now() + 30 * day;
  } catch {
    return false;
  }
}

/** Loaded only here: the library is slow to start and needed once a year. */
async function issue(
  files: Record<"caKey" | "ca" | "key" | "cert", string>,
  names: readonly string[],
): Promise<void> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const pem = async (key: webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
  const makeKeys = () =>
    crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

  let authority: { certificate: InstanceType<typeof x509.X509Certificate>; key: webcrypto.CryptoKey };
  if (existsSync(files.ca) && existsSync(files.caKey)) {
    const raw = x509.PemConverter.decodeFirst(readFileSync(files.caKey, "utf8"));
    authority = {
      certificate: new x509.X509Certificate(readFileSync(files.ca, "utf8")),
      key: await crypto.subtle.importKey("pkcs8", raw, algorithm, true, ["sign"]),
    };
  } else {
    const keys = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=Kiln sandbox authority, O=Kiln",
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 3650 * day),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    writePrivate(files.caKey, await pem(keys.privateKey));
    writePrivate(files.ca, certificate.toString("pem"));
    authority = { certificate, key: keys.privateKey };
  }
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=Kiln sandbox",
    issuer: authority.certificate.subject,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 390 * day),
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  writePrivate(files.key, await pem(keys.privateKey));
  writePrivate(files.cert, certificate.toString("pem"));
}
