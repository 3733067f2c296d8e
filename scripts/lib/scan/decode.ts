import { TextDecoder } from "node:util";

/** How the bytes of a text are to be read; undefined when they are none. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | undefined;

/** How far git looks for a zero byte. */
const LOOK = 8000;

/**
 * Tells texts from everything else by their first bytes, as git does: a zero byte is in no text, but in every UTF-16 one,
 * whose zeros stand on every other place. Pure.
 */
export function encodingOf(head: Uint8Array): Encoding {
  const [a, b] = head;
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  const look = head.subarray(0, LOOK);
  if (!look.includes(0)) return "utf-8";
  const zeros = [0, 0] as [number, number];
  for (const [at, byte] of look.entries()) if (byte === 0) zeros[at % 2 === 0 ? 0 : 1]++;
  const [even, odd] = zeros;
  if (look.length % 2 !== 0) return undefined;
  const most = look.length / 2;
  // Western text has its zeros in the high bytes, nearly all of them, and none in the low ones.
  if (even === 0 && odd > most * 0.7) return "utf-16le";
  if (odd === 0 && even > most * 0.7) return "utf-16be";
  return undefined;
}

/** A text of bytes, without its byte order mark; undefined when they are no text. What is not valid is replaced. Pure. */
export function textOf(bytes: Uint8Array): string | undefined {
  const encoding = encodingOf(bytes);
  return encoding === undefined ? undefined : new TextDecoder(encoding).decode(bytes);
}

/**
 * How the bytes of a log are to be read. A program may write a zero byte into one; archives and pictures are told by how
 * much of them is no text in any way. Pure.
 */
export function logEncodingOf(head: Uint8Array): Encoding {
  const encoding = encodingOf(head);
  if (encoding === "utf-16le" || encoding === "utf-16be") return encoding;
  const look = new TextDecoder().decode(head.subarray(0, LOOK));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is counted.
  const odd = look.match(/[\u0000-\u0006\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  return odd > look.length / 10 ? undefined : "utf-8";
}

/** The text of a log, whose bytes come in parts. */
export async function* textsOf(
  parts: AsyncIterable<Uint8Array>,
  onNoText: () => never,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let head: Uint8Array = new Uint8Array();
  const begin = (): TextDecoder => {
    const encoding = logEncodingOf(head);
    return encoding === undefined ? onNoText() : new TextDecoder(encoding);
  };
  for await (const part of parts) {
    if (decoder !== undefined) {
      yield decoder.decode(part, { stream: true });
      continue;
    }
    head = head.length === 0 ? part : Buffer.concat([head, part]);
    if (head.length < LOOK) continue;
    decoder = begin();
    yield decoder.decode(head, { stream: true });
  }
  if (decoder === undefined) {
    decoder = begin();
    yield decoder.decode(head, { stream: true });
  }
  yield decoder.decode();
}
