/** A part of a text that is searched on its own. */
export interface Window {
  readonly text: string;
  /** Where it begins in the whole, in UTF-16 units. */
  readonly offset: number;
  /** What is found from here… */
  readonly from: number;
  /** …to before there counts, as positions in the window's text: what begins elsewhere is another window's. */
  readonly to: number;
}

/** Sizes in UTF-16 units. */
export interface WindowSizes {
  /** How much is a window's own. */
  readonly own: number;
  /** How much it sees of what comes before: the words that make digits a key. */
  readonly before: number;
  /** How much it sees of what comes after: more than any secret is long. */
  readonly after: number;
}

/** A private key with its line breaks escaped is the longest that is looked for, with some 16 000 characters. */
export const WINDOW_SIZES: WindowSizes = { own: 1 << 18, before: 2048, after: 20_480 };

/**
 * Cuts a text that comes in parts into windows that overlap, so that every secret is whole in the window in which it
 * begins, and is found once. Holds one window in memory at a time.
 */
export async function* windowsOf(
  parts: AsyncIterable<string> | Iterable<string>,
  { own, before, after }: WindowSizes = WINDOW_SIZES,
): AsyncGenerator<Window> {
  let held = "";
  let offset = 0;
  let from = 0;
  for await (const part of parts) {
    held += part;
    while (held.length >= from + own + after) {
      const to = from + own;
      yield { text: held.slice(0, to + after), offset, from, to };
      const cut = Math.max(0, to - before);
      held = held.slice(cut);
      offset += cut;
      from = to - cut;
    }
  }
  if (held.length > from) yield { text: held, offset, from, to: held.length };
}
