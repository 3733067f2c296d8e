import type { webcrypto } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writePrivate } from "./files.ts";

/** A certificate and the key it is for, each as PEM. */
export interface Issued {
  readonly key: string;
  readonly cert: string;
}

/** What a certificate is for. */
export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  /** Host names, wildcards included. */
  readonly hosts?: readonly string[];
  readonly addresses?: readonly string[];
  readonly usages: readonly ("server" | "client")[];
}

/** A certificate authority with a key of its own. */
export interface Authority {
  issue(request: CertificateRequest): Promise<Issued>;
}

const day = 24 * 60 * 60 * 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * The authority kept in these two files, made when there is none: valid for ten years, its certificates for a year and
 * some weeks. The library is loaded here only: it is slow to start and needed once a year.
 */
export async function openAuthority(
  files: { readonly key: string; readonly cert: string },
  name: string,
): Promise<Authority> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const pem = async (key: webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
  const makeKeys = () =>
    crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

  let authority: { certificate: InstanceType<typeof x509.X509Certificate>; key: webcrypto.CryptoKey };
  if (existsSync(files.cert) && existsSync(files.key)) {
    const raw = x509.PemConverter.decodeFirst(readFileSync(files.key, "utf8"));
    authority = {
      certificate: new x509.X509Certificate(readFileSync(files.cert, "utf8")),
      key: await crypto.subtle.importKey("pkcs8", raw, algorithm, true, ["sign"]),
    };
  } else {
    const keys = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}, O=Kiln`,
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
    writePrivate(files.key, await pem(keys.privateKey));
    writePrivate(files.cert, certificate.toString("pem"));
    authority = { certificate, key: keys.privateKey };
  }

  const usageOf = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  return {
    issue: async ({ name: subject, hosts = [], addresses = [], usages }) => {
      const keys = await makeKeys();
      const alternatives = [
        ...hosts.map((value) => ({ type: "dns" as const, value })),
        ...addresses.map((value) => ({ type: "ip" as const, value })),
      ];
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${subject}`,
        issuer: authority.certificate.subject,
        notBefore: new Date(Date.now() - day),
        notAfter: new Date(Date.now() + 390 * day),
        publicKey: keys.publicKey,
        signingKey: authority.key,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(usages.map((usage) => usageOf[usage])),
          ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
        ],
      });
      return { key: await pem(keys.privateKey), cert: certificate.toString("pem") };
    },
  };
}
