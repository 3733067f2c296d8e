import type { Session } from "../provider.ts";

/** To whom a wait is shown, and under which resource. */
export interface Shown {
  readonly session: Session;
  readonly urn: string;
}

/** What is ready within this time is not worth a message, in milliseconds. */
const quietMs = 1_000;

/** What people see of a wait: the latest message, and only of waits that are worth it. */
export class Progress {
  readonly #wait: Shown;
  readonly #quiet: NodeJS.Timeout;
  #loud = false;
  #latest = "";
  #said = "";

  constructor(wait: Shown) {
    this.#wait = wait;
    this.#quiet = setTimeout(() => {
      this.#loud = true;
      this.say(this.#latest);
    }, quietMs);
    this.#quiet.unref();
  }

  say(message: string): void {
    this.#latest = message;
    if (!this.#loud || message === "" || message === this.#said) return;
    this.#said = message;
    void this.#wait.session.log(this.#wait.urn, "info", message, true);
  }

  end(): void {
    clearTimeout(this.#quiet);
    if (this.#said !== "") void this.#wait.session.log(this.#wait.urn, "info", "", true);
  }
}
