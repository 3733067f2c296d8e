import { expect } from "vitest";
import type { Finished, TestKiln } from "./kiln.ts";

/** A failure as programs are told it. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly cause: string;
  readonly next: string;
  readonly problems?: readonly { readonly file: string; readonly key: string; readonly message: string }[];
}

/**
 * Holds a failure of `--json` to what every one owes: its exit code, one document on stdout, nothing on stderr, and in the
 * document what failed, why, and what to do next.
 */
export function refusalOf(finished: Finished, exitCode: number): Refusal {
  const { exitCode: ended, stdout, stderr } = finished;
  expect({ ended, stderr, stdout }).toEqual({ ended: exitCode, stderr: "", stdout });
  const document = finished.json() as { result?: unknown; error?: Refusal };
  const said = expect.stringMatching(/\S/);
  expect(document).toMatchObject({
    result: "failed",
    error: {
      code: expect.stringMatching(/^[A-Z][A-Za-z]+$|^ENGINE_/),
      message: said,
      cause: said,
      next: said,
    },
  });
  // Plain words: no code of the program, no value that nobody filled in.
  expect(JSON.stringify(document)).not.toMatch(/\bundefined\b|\[object|\bat \S+ \(|node:internal/);
  return document.error as Refusal;
}

/** Runs the command with `--json`, and holds its failure to what every one owes. */
export async function refusal(
  kiln: TestKiln,
  exitCode: number,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Refusal> {
  return refusalOf(await kiln.run([...args, "--json"], env), exitCode);
}
