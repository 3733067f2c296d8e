import { createInterface } from "node:readline/promises";
import type { Output } from "./output.ts";

/** Whether there is someone who can be asked. */
export function canAsk(out: Pick<Output, "json">): boolean {
  return !out.json && process.stdin.isTTY === true;
}

/** Asks the terminal; anything but yes is no. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
