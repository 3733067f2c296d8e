import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import path from "node:path";

/** A log file of at most `limit` bytes; when it is full it moves aside to `{file}.1` and a new one begins. */
export class BoundedLog {
  readonly #file: string;
  readonly #limit: number;
  #descriptor: number | undefined;
  #size = 0;

  constructor(file: string, limit: number = 1024 * 1024) {
    this.#file = file;
    this.#limit = limit;
  }

  /** Never throws: an app must not die of its log, nor the sandbox of a full disk. */
  write(content: Uint8Array | string): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    try {
      this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.#limit) this.#turn();
      if (this.#descriptor === undefined) return;
      this.#size += writeSync(this.#descriptor, bytes.subarray(0, this.#limit));
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    if (this.#descriptor !== undefined) return;
    mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(this.#file, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  #turn(): void {
    this.close();
    renameSync(this.#file, `${this.#file}.1`);
    this.#open();
  }
}
