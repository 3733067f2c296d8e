import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";
import { KEY_SHAPES } from "./shapes.ts";

/**
 * A key in hand. It prints as a placeholder wherever a value could slip into text: in a template, in JSON, in an
 * inspected object, in an error. Only {@link reveal} gives it, to the one call that needs it.
 */
export class KeyMaterial {
  readonly #value: string;

  /** @throws when the key is empty: an empty key is a missing one, and must not become a secret. */
  constructor(value: string) {
    if (value === "") throw new Error("A key cannot be empty.");
    this.#value = value;
  }

  /** Whether both are the same key. Takes as long for a near miss as for a far one. */
  equals(other: KeyMaterial): boolean {
    return timingSafeEqual(digest(this.#value), digest(other.#value));
  }

  /** What only a holder of the key can say to a challenge: HMAC-SHA256 of it under the key, in base64url. */
  proof(challenge: string): string {
    return createHmac("sha256", this.#value).update(challenge).digest("base64url");
  }

  /** The key itself, for the call that hands it over; never for text. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[key]";
  }

  toJSON(): string {
    return "[key]";
  }

  [inspect.custom](): string {
    return "[key]";
  }
}

/** timingSafeEqual wants equal lengths; a digest gives them without telling the key's. */
function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}

/**
 * What may be a key for all one can tell: 84 letters and digits, 32 hexadecimal digits, a token however short. In the
 * text of others a word too many taken out does no harm.
 */
const LOOSE_SHAPES = [/\b[A-Za-z0-9]{84}\b/g, /\b[0-9a-f]{32}\b/g, /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g];

/** Text with whatever looks like a key, or like a token, taken out: the last line of defence for texts of others. Pure. */
export function withoutKeys(text: string): string {
  const shapes = [...KEY_SHAPES.map(({ pattern }) => pattern), ...LOOSE_SHAPES];
  return shapes.reduce((clean, shape) => clean.replaceAll(shape, "[removed]"), text);
}
