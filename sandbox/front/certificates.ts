import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { openAuthority } from "../core/authority.ts";
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

async function issue(
  files: Record<"caKey" | "ca" | "key" | "cert", string>,
  names: readonly string[],
): Promise<void> {
  const authority = await openAuthority({ key: files.caKey, cert: files.ca }, "Kiln sandbox authority");
  const { key, cert } = await authority.issue({ name: "Kiln sandbox", hosts: names, usages: ["server"] });
  writePrivate(files.key, key);
  writePrivate(files.cert, cert);
}
