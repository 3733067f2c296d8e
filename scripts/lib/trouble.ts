import { explain, isUnreachable } from "./cloud-errors.ts";
import { engineSaid } from "./engine-output.ts";
import { exitCodes, KilnError, type Trouble } from "./errors.ts";
import { cloudAnswer } from "./keys/cloud-answer.ts";

/** What errors of others carry, each kind a part of it. */
interface Foreign {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly next?: unknown;
  readonly problems?: unknown;
  readonly usage?: unknown;
  readonly path?: unknown;
  readonly errcode?: unknown;
  readonly statusCode?: unknown;
}

const reportIt = "Run it again with KILN_DEBUG=1 for the whole story, and report it if it stays.";

/** Turns anything thrown into a failure that can be told; what is not understood passes through whole. */
export function toKilnError(error: unknown): KilnError {
  if (error instanceof KilnError) return error;
  if (!(error instanceof Error)) {
    return new KilnError({
      code: "Unexpected",
      message: String(error),
      cause: "Kiln did not expect this.",
      next: reportIt,
    });
  }
  return (
    ownKind(error) ??
    ofTheMachine(error) ??
    ofSignIn(error) ??
    ofTheCloud(error) ??
    new KilnError({
      code: "Unexpected",
      message: error.message,
      cause: error.cause instanceof Error ? error.cause.message : "Kiln did not expect this.",
      next: reportIt,
    })
  );
}

/**
 * Errors of the configuration, of the engine's provider and of the sandbox have the same parts as Kiln's own. They are
 * known by their shape, so that saying an error needs none of their code.
 */
function ownKind(error: Error): KilnError | undefined {
  const { code, cause, next, problems, usage } = error as Foreign;
  if (typeof code !== "string" || typeof cause !== "string" || typeof next !== "string") return undefined;
  const { message } = error;
  if (!Array.isArray(problems)) {
    return new KilnError({ code, message, cause, next }, usage === true ? exitCodes.usage : exitCodes.failed);
  }
  const places = problems as NonNullable<Trouble["problems"]>;
  return new KilnError({ code, message, cause, next, problems: places }, exitCodes.usage);
}

/** SQLite's result codes for a full disk, an I/O error, and a file that cannot be opened or written. */
const sqlite = { full: 13, io: 10, cannotOpen: 14, readOnly: 8 };

function ofTheMachine(error: Error): KilnError | undefined {
  const { code, path, errcode } = error as Foreign;
  const result = code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode % 256 : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || result === sqlite.full || result === sqlite.io) {
    return new KilnError({
      code: "DiskFull",
      message: "there is no room left on the disk",
      cause: `Something could not be written: ${error.message}.`,
      next: "Free some space (or set KILN_HOME to a folder on another disk), then run it again.",
    });
  }
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  if (denied || result === sqlite.cannotOpen || result === sqlite.readOnly) {
    return new KilnError({
      code: "NotWritable",
      message: `${typeof path === "string" ? path : "a file"} cannot be read or written`,
      cause: `The system refuses it: ${error.message}.`,
      next: "Correct who owns it and who may write it, then run it again.",
    });
  }
  if (code === "ENOTDIR" || code === "EISDIR" || code === "EEXIST") {
    return new KilnError({
      code: "PathBlocked",
      message: `${typeof path === "string" ? path : "a path"} is not what it should be`,
      cause: `A file stands where a folder should be, or the other way round: ${error.message}.`,
      next: "Move it away, then run it again.",
    });
  }
  return undefined;
}

/** What the identity libraries throw; the codes of Entra ID's own begin with AADSTS. */
function ofSignIn(error: Error): KilnError | undefined {
  if (isUnreachable(error.message)) return undefined;
  const named =
    /^(AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError|CredentialUnavailableError)$/;
  if (!named.test(error.name) && !/\bAADSTS\d+|invalid_client|\.assertion'/.test(error.message))
    return undefined;
  return new KilnError({
    code: "SignInFailed",
    message: "signing in to the cloud failed",
    cause: `The cloud does not accept who is signed in: ${error.message.split(" - Correlation ID")[0]}`,
    next: "Sign in again (`az login`); for the sandbox, `kiln sandbox stop` and run it again renews its credentials.",
  });
}

/** Answers of the cloud by the SDKs, failures of the network, and the engine's. */
function ofTheCloud(error: Error): KilnError | undefined {
  const { code, statusCode } = error as Foreign;
  if (typeof statusCode === "number") {
    // Key Vault's finer code says what is meant.
    const answer = cloudAnswer(error);
    const shown = answer?.innerCode ?? codeOf(answer?.code ?? code, statusCode);
    return explain([
      `Status=${statusCode} Code="${shown}" Message="${fullText(error, answer?.message ?? error.message)}"`,
    ]);
  }
  const said = engineSaid(error.message);
  if (said !== undefined) return explain(said);
  const explained = explain([error.message]);
  return explained.code === "OperationFailed" ? undefined : explained;
}

/** Some SDKs keep nothing of the answer to a list but its status: then what was asked says more. */
function fullText(error: Error, text: string): string {
  const { request } = error as { request?: { method?: unknown; url?: unknown } };
  if (!text.startsWith("Pagination failed") || typeof request?.url !== "string") return text;
  return `${request.method} ${new URL(request.url).pathname} was refused. ${text}`;
}

/** What the SDKs leave out when an answer of a list has no body they know. */
function codeOf(code: unknown, statusCode: number): string {
  if (typeof code === "string" && /^[A-Za-z]+$/.test(code)) return code;
  if (statusCode === 401) return "Unauthorized";
  if (statusCode === 403) return "AuthorizationFailed";
  return statusCode === 429 ? "TooManyRequests" : `Http${statusCode}`;
}
