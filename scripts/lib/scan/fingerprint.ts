import { createHash, scryptSync } from "node:crypto";

const sha256 = (...parts: readonly string[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
};

/**
 * Tells a finding from every other, in 40 hexadecimal digits, the same wherever in the file it moves to. It stands in
 * baselines that anybody may read, so it must not give the secret away to someone who tries all likely ones: what a
 * machine drew is beyond guessing; what people chose is put through scrypt (16 MiB and some 50 ms for each guess),
 * salted with rule and path.
 * @param chosen whether people may have chosen the secret
 */
export function fingerprint(rule: string, path: string, secret: string, chosen: boolean): string {
  const digest = chosen
    ? scryptSync(secret, sha256("kiln-scan", rule, path), 32, { N: 1 << 14, r: 8, p: 1 }).toString("hex")
    : sha256(secret);
  return sha256("kiln-scan/1", rule, path, digest).slice(0, 40);
}
