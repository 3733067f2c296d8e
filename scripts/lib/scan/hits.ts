import { lint } from "./linter.ts";
import { WINDOW_SIZES, type WindowSizes, windowsOf } from "./windows.ts";

/** A secret where it was found. It holds the secret: it goes to the judge and no further. */
export interface Hit {
  readonly rule: string;
  readonly secret: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** Lines and columns of places that come in order. */
class Places {
  #line = 1;
  #lineStart = 0;
  #seen = 0;

  /** Reads on to a place of the window's text, which begins at `offset` in the whole. */
  at(text: string, offset: number, index: number): { line: number; column: number } {
    for (let next = text.indexOf("\n", this.#seen - offset); next !== -1 && next < index; ) {
      this.#line++;
      this.#lineStart = offset + next + 1;
      this.#seen = this.#lineStart;
      next = text.indexOf("\n", next + 1);
    }
    return { line: this.#line, column: offset + index - this.#lineStart + 1 };
  }

  /** Reads to the end of what the window shares with no later one. */
  pass(text: string, offset: number, to: number): void {
    this.at(text, offset, to);
    this.#seen = Math.max(this.#seen, offset + to);
  }
}

/**
 * Every secret of a text that comes in parts, in order.
 * @param parts without a byte order mark
 */
export async function* hitsOf(
  parts: AsyncIterable<string> | Iterable<string>,
  signal?: AbortSignal,
  sizes: WindowSizes = WINDOW_SIZES,
): AsyncGenerator<Hit> {
  const places = new Places();
  for await (const { text, offset, from, to } of windowsOf(parts, sizes)) {
    signal?.throwIfAborted();
    for (const { rule, start, end } of await lint(text)) {
      if (start < from || start >= to) continue;
      yield { rule, secret: text.slice(start, end), ...places.at(text, offset, start) };
    }
    places.pass(text, offset, to);
  }
}
