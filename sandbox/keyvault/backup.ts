import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Cloud } from "../core/cloud.ts";
import { badParameter } from "./secret-body.ts";
import type { SecretVersion } from "./secret-model.ts";

const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

/** A blob that only this cloud can open, as Azure's backups are: a value in it is not readable by whoever holds it. */
export function sealBackup(cloud: Cloud, versions: readonly SecretVersion[]): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, backupKey(cloud), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(versions)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
}

/** @throws CloudError 400 `BadParameter` when the blob is not one of this cloud's */
export function openBackup(cloud: Cloud, blob: string): SecretVersion[] {
  try {
    const bytes = Buffer.from(blob, "base64url");
    const decipher = createDecipheriv(algorithm, backupKey(cloud), bytes.subarray(0, ivBytes));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const opened = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
    return JSON.parse(opened.toString()) as SecretVersion[];
  } catch {
    throw badParameter("Backup blob contains invalid or corrupt data.");
  }
}

function backupKey(cloud: Cloud): Buffer {
  const keys = cloud.store.collection<string>("backup-keys");
  const saved = keys.get("key") ?? randomBytes(32).toString("base64");
  if (keys.get("key") === undefined) keys.put("key", saved);
  return Buffer.from(saved, "base64");
}
