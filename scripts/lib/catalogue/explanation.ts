import type { ExitCode } from "../errors.ts";

/**
 * What codes of the cloud mean for who runs Kiln. In the texts `{region}` stands for the region the run was building in.
 */
export interface Explanation {
  /** Codes of one meaning, as the cloud spells them. */
  readonly codes: readonly string[];
  /** Narrows the codes to messages that this finds. */
  readonly message?: RegExp;
  /** What failed, as half a sentence. */
  readonly what: string;
  /** Why, in sentences. */
  readonly why: string;
  /** What follows from it: for the environment, for the region, for another try. In sentences. */
  readonly consequence: string;
  /** What to do. */
  readonly next: string;
  /** @default 1, the cloud or the program failed */
  readonly exitCode?: ExitCode;
  /** A moment later the same request is taken; running again at once is worth it. */
  readonly transient?: true;
  /** The region is full, or closed for new customers: another region may well do. */
  readonly capacity?: true;
}
