import { redact, secretTexts, type ValueMap } from "../values.ts";
import { base64 } from "./body.ts";

/**
 * Runs a request, and keeps what the inputs hold secret out of its failure: as it is, and as the API server writes it.
 * (What the engine sent in plain the messages' last gate knows; not its encoding.)
 */
export async function hidingSecrets<T>(inputs: ValueMap, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const texts = secretTexts(inputs);
    if (error instanceof Error && texts.length > 0) {
      error.message = redact(error.message, [...texts, ...texts.map(base64), ...texts.map(decoded)]);
    }
    throw error;
  }
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString();
}
