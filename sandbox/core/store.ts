import { DatabaseSync, type StatementSync } from "node:sqlite";
import { CloudError } from "./errors.ts";

/** A named set of JSON documents. What it gives out is read-only: a change is a `put`. */
export interface Collection<T> {
  get(id: string): T | undefined;
  put(id: string, value: T): void;
  /** True when there was one. */
  delete(id: string): boolean;
  values(): T[];
  entries(): [string, T][];
  readonly size: number;
}

/** The data folder is in use by another sandbox. */
export class StoreHeldError extends Error {
  constructor(file: string) {
    super(`the sandbox's data at ${file} is in use by another sandbox process`);
    this.name = "StoreHeldError";
  }
}

/** What the data folder holds is no data of a sandbox, or not any more. */
export class StoreDamagedError extends Error {
  constructor(file: string, reason: string) {
    super(`${file} is damaged: ${reason}`);
    this.name = "StoreDamagedError";
  }
}

/**
 * The sandbox's memory: documents held in maps and written through to one SQLite file before a map changes, so that
 * what was answered survives `kill -9`. The file is locked for this process as long as it lives; the operating system
 * lets go of it when the process dies, however it dies.
 */
export class Store {
  readonly #db: DatabaseSync;
  readonly #maps = new Map<string, Map<string, unknown>>();
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  /** Undo steps of the open transaction, newest last. */
  #undo: (() => void)[] | undefined;
  #depth = 0;

  /** @throws StoreHeldError when another process holds the file, StoreDamagedError when it cannot be read. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    try {
      this.#db.exec(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" +
          "CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;" +
          "BEGIN IMMEDIATE; COMMIT;",
      );
    } catch (error) {
      this.#db.close();
      if (error instanceof Error && /locked|busy/i.test(error.message)) throw new StoreHeldError(file);
      throw damageOf(file, error) ?? error;
    }
    try {
      for (const row of this.#db.prepare("SELECT kind, id, body FROM documents").iterate()) {
        const { kind, id, body } = row as { kind: string; id: string; body: string };
        this.#map(kind).set(id, JSON.parse(body));
      }
    } catch (error) {
      this.#db.close();
      throw damageOf(file, error) ?? error;
    }
    this.#put = this.#db.prepare(
      "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
    );
    this.#delete = this.#db.prepare("DELETE FROM documents WHERE kind = ? AND id = ?");
  }

  collection<T>(kind: string): Collection<T> {
    const map = this.#map(kind) as Map<string, T>;
    return {
      get: (id) => map.get(id),
      put: (id, value) => {
        const body = JSON.stringify(value);
        this.#write(() => this.#put.run(kind, id, body));
        this.#remember(map, id);
        map.set(id, JSON.parse(body) as T);
      },
      delete: (id) => {
        if (!map.has(id)) return false;
        this.#write(() => this.#delete.run(kind, id));
        this.#remember(map, id);
        return map.delete(id);
      },
      values: () => [...map.values()],
      entries: () => [...map.entries()],
      get size() {
        return map.size;
      },
    };
  }

  /** Runs `change` whole or not at all, on disk and in memory. Calls may nest: an inner one can fail by itself. */
  transaction<R>(change: () => R): R {
    const outermost = this.#undo === undefined;
    const undo = this.#undo ?? [];
    const mark = undo.length;
    const name = `step${mark}_${this.#depth}`;
    this.#write(() => this.#db.exec(outermost ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`));
    this.#undo = undo;
    this.#depth++;
    try {
      const result = change();
      this.#write(() => this.#db.exec(outermost ? "COMMIT" : `RELEASE ${name}`));
      return result;
    } catch (error) {
      for (const step of undo.splice(mark).reverse()) step();
      // A disk that is full ends the whole transaction by itself.
      if (this.#db.isTransaction)
        this.#db.exec(outermost ? "ROLLBACK" : `ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
      if (outermost) this.#undo = undefined;
    }
  }

  /** Forgets everything in the collections not named. */
  clear(keep: readonly string[]): void {
    this.transaction(() => {
      for (const [kind, map] of this.#maps) {
        if (keep.includes(kind)) continue;
        for (const id of [...map.keys()]) this.collection(kind).delete(id);
      }
    });
  }

  /** Names of all collections that hold, or held, something. */
  kinds(): string[] {
    return [...this.#maps.keys()];
  }

  close(): void {
    this.#db.close();
  }

  #map(kind: string): Map<string, unknown> {
    const found = this.#maps.get(kind);
    if (found !== undefined) return found;
    const made = new Map<string, unknown>();
    this.#maps.set(kind, made);
    return made;
  }

  #remember<T>(map: Map<string, T>, id: string): void {
    if (this.#undo === undefined) return;
    const had = map.has(id);
    const before = map.get(id);
    this.#undo.push(() => {
      if (had) map.set(id, before as T);
      else map.delete(id);
    });
  }

  /** A disk that refuses a write is a failure of the cloud, told as one; nothing in memory changes. */
  #write(action: () => void): void {
    try {
      action();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CloudError(
        507,
        "SandboxStorageFailed",
        `The sandbox could not write its data (${reason}). Free space on the disk that holds its data folder, then try again.`,
      );
    }
  }
}

/** SQLite's codes for a damaged file and for one that is none of its own; a document that does not parse is no better. */
function damageOf(file: string, error: unknown): StoreDamagedError | undefined {
  const { errcode } = error as { errcode?: number };
  const damaged = error instanceof SyntaxError || [11, 26].includes((errcode ?? 0) % 256);
  return damaged ? new StoreDamagedError(file, (error as Error).message) : undefined;
}
