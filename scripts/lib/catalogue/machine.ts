import { exitCodes } from "../errors.ts";
import type { Explanation } from "./explanation.ts";

/** A failure that carries no code of the cloud, known by its words. Kiln gives it one. */
export type Uncoded = Omit<Explanation, "codes" | "message"> & {
  readonly code: string;
  readonly message: RegExp;
};

/** Failures of the way to the cloud, which say nothing of what was asked. */
export const unreachable =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|socket hang up|connection refused|transport is closing|error reading from server|connection reset by peer|broken pipe|did not begin responding to RPC|UNAVAILABLE|network_error/i;

/** Failures of the way there, of the machine, of the state's backend. The first that fits is told. */
export const machineErrors: readonly Uncoded[] = [
  {
    code: "Locked",
    message: /another update is currently in progress/i,
    exitCode: exitCodes.locked,
    what: "the state of the environment is locked",
    why: "Another run works on it, or one that was killed left its lock in the state's backend.",
    consequence: "Nothing was changed.",
    next: "Wait until it is done. If nobody works on it any more, `kiln unlock` lets go.",
  },
  {
    code: "DiskFull",
    message: /no space left on device|disk is full|disk quota exceeded|ENOSPC/i,
    what: "there is no room left on the disk",
    why: "Something could not be written: the state, the sandbox's data or a temporary file.",
    consequence: "What was made last may not be on record; the next run looks.",
    next: "Free some space, then run it again; it goes on where it stopped.",
  },
  {
    code: "StateUnreadable",
    message:
      /failed to load checkpoint|could not unmarshal|unexpected end of JSON input|^invalid character/im,
    what: "what is on record about the environment cannot be read",
    why: "A file of the state's backend is damaged.",
    consequence: "Nothing was changed.",
    next:
      "Put its last good copy back (`.pulumi/backups` in the backend, by `pulumi stack import`); a sandbox begins anew after " +
      "`kiln sandbox reset`. Nothing was changed.",
  },
  {
    code: "StateBackendSignIn",
    message: /PULUMI_ACCESS_TOKEN must be set|run `pulumi login`|not logged in/i,
    what: "the engine is not signed in to a state backend",
    why: "The state of environments in Azure lives in a backend that your team runs.",
    consequence: "Nothing was touched.",
    next: "Name it in PULUMI_BACKEND_URL (azblob://…, s3://…, gs://…), or run `pulumi login`.",
  },
  {
    code: "SecretsProvider",
    message: /passphrase must be set|incorrect passphrase|get passphrase/i,
    what: "the stack's secrets provider cannot be opened",
    why: "The stack was made with a passphrase that is not the one in the environment.",
    consequence: "Nothing was touched.",
    next: "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or have the stack use azurekeyvault://.",
  },
  {
    code: "Cancelled",
    message: /\b(?:update|preview|destroy|operation) cancell?ed\b/i,
    what: "the run was cancelled",
    why: "Someone interrupted it, or `pulumi cancel` took its lock away.",
    consequence: "What was made until then is on record.",
    next: "Run it again: it goes on where it stopped.",
  },
  {
    code: "CloudUnreachable",
    message: unreachable,
    what: "the cloud does not answer",
    why: "The connection was refused or broken off; a sandbox may have been stopped.",
    consequence: "What was made until then is on record.",
    next: "Run it again: it goes on where it stopped (and starts the sandbox, if that is the cloud).",
  },
];
