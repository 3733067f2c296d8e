import { writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import type { Finished, TestKiln } from "./kiln.ts";

/** Runs of the kiln command of which everything that was printed is kept, to be searched for secrets at the end. */
export class RecordedRuns {
  readonly #kiln: TestKiln;
  readonly #folder: string;
  readonly #printed: string[] = [];

  /** @param folder the checkout that shells work in */
  constructor(kiln: TestKiln, folder: string) {
    this.#kiln = kiln;
    this.#folder = folder;
  }

  async run(...args: string[]): Promise<Finished> {
    const finished = await this.#kiln.run(args);
    this.keep(finished.stdout, finished.stderr);
    return finished;
  }

  /** Runs a script in a shell that `kiln env dev` set up. @returns what it printed; its errors are thrown */
  async shell(script: string): Promise<string> {
    const { stdout: variables } = await this.run("env", "dev");
    const { stdout } = await execa("sh", ["-c", `eval "$KILN_ENV"; ${script}`], {
      cwd: this.#folder,
      env: { KILN_ENV: variables, KILN_HOME: this.#kiln.home },
    });
    this.keep(stdout);
    return stdout;
  }

  /** Keeps what something else printed. */
  keep(...texts: readonly string[]): void {
    this.#printed.push(...texts);
  }

  /** Writes what was printed into a file of kiln's home, beside everything else that is searched. */
  write(): string {
    const file = path.join(this.#kiln.home, "printed.txt");
    writeFileSync(file, this.#printed.join("\n"));
    return file;
  }
}
