import { type ExitCode, exitCodes, KilnError } from "./errors.ts";

/** What a code of the cloud means for who runs Kiln. */
interface Explanation {
  readonly code: string | RegExp;
  /** Narrows the code to messages that this finds. */
  readonly message?: RegExp;
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly exitCode?: ExitCode;
  /** A moment later the same request is taken; running again at once is worth it. */
  readonly transient?: boolean;
}

/** Source of the codes: the services' public specifications and SDKs. */
const catalogue: readonly Explanation[] = [
  {
    code: "AlreadyExists",
    message: /cannot create already existing resource/,
    what: "a resource that was to be made exists already",
    why: "The cloud has it, but it is not on record in this state backend: the state was lost, or someone else made it.",
    next: "Import it (`pulumi import`), or delete it if nobody needs it, then run it again; a sandbox begins anew after `kiln sandbox reset`.",
  },
  {
    code: "InsufficientQuota",
    what: "the region has not enough quota left for the model",
    why: "Each region has a limit of tokens per minute for each model; deployments and soft-deleted accounts use it up.",
    next: "Lower kiln:foundry.model.capacity, choose another kiln:location, purge deleted accounts, or ask for more quota.",
  },
  {
    code: /^(DeploymentModelNotSupported|ServiceModelDeprecated|InvalidResourceProperties)$/,
    what: "the region does not offer this model, version or SKU",
    why: "Models come to regions one by one, each with its own SKUs, and go again.",
    next: "Choose another model, version or SKU in kiln:foundry.model, or another kiln:location.",
  },
  {
    code: "SpecialFeatureOrQuotaIdRequired",
    what: "the subscription is not entitled to Azure OpenAI",
    why: "The service has to be granted to a subscription once. Another region would not help.",
    next: "Ask for access to Azure OpenAI for this subscription, or use another subscription.",
  },
  {
    code: "CustomDomainInUse",
    what: "the account's subdomain is taken",
    why: "Subdomains are global: another account, live or soft-deleted, perhaps of someone else, holds it.",
    next: "If the account is yours, purge it; otherwise change kiln:workload, which all names are made of.",
  },
  {
    code: "FlagMustBeSetForRestore",
    what: "an account of this name was deleted not long ago and still holds the name",
    why: "Azure keeps deleted accounts for 48 hours.",
    next: "Run `kiln down` for the environment, which purges what is its own, then `kiln up` again.",
  },
  {
    code: /^(VaultAlreadyExists|StorageAccountAlreadyTaken|StorageAccountAlreadyExists)$/,
    what: "a name that must be unique in the whole of Azure is taken",
    why: "Vaults, storage accounts and sites share one name space with everyone.",
    next: "Change kiln:workload, which all names are made of.",
  },
  {
    code: /^(ConflictError|Conflict)$/,
    message: /deleted state|already (exists|in use|taken)|not available/i,
    what: "a name is still held",
    why: "Something of that name exists, live or soft-deleted.",
    next: "Run `kiln down` for the environment, then `kiln up` again; if it is not yours, change kiln:workload.",
  },
  {
    code: "InvalidResourceLocation",
    what: "something of this name is in another region",
    why: "Nothing moves between regions, and Azure keeps a deleted Log Analytics workspace, with its name, for 14 days.",
    next: "Bring the environment up in the region where it was (KILN_LOCATION), or change kiln:workload, which all names are made of.",
  },
  {
    code: /^(AuthorizationFailed|LinkedAuthorizationFailed|RoleAssignmentPermissionDenied)$/,
    what: "the one who is signed in may not do this",
    why: "It lacks a role for the action on that scope. A role granted a moment ago takes up to 10 minutes.",
    next: "Have the role granted: Contributor and Role Based Access Control Administrator on the subscription are enough.",
  },
  {
    code: /^Forbidden(ByRbac)?$/,
    what: "the data plane of the vault refuses the one who is signed in",
    why: "It lacks Key Vault Secrets Officer on the vault, or the grant has not spread yet (up to 10 minutes).",
    next: "Wait a few minutes and run it again.",
  },
  {
    code: /^(ExpiredAuthenticationToken|InvalidAuthenticationToken|InvalidAuthenticationTokenAudience|AuthenticationFailed|Unauthorized)$/,
    what: "the sign-in does not hold any more",
    why: "The access token has expired or is not for this cloud.",
    next: "Sign in again (`az login`), or start the sandbox anew, then run it again.",
  },
  {
    code: "TooManyRequests",
    what: "the cloud is throttling the requests",
    why: "A subscription may send only so many requests a second, and retrying did not help.",
    next: "Wait a minute and run it again; it goes on where it stopped.",
  },
  {
    code: "AccountProvisioningStateInvalid",
    transient: true,
    what: "the new account is not ready for deployments yet",
    why: "Azure says that an account has succeeded a moment before it takes deployments.",
    next: "Run it again in a minute.",
  },
  {
    code: "RequestConflict",
    transient: true,
    what: "the account is busy with something else",
    why: "Another operation on the same account is under way, perhaps one that an earlier run began.",
    next: "Run it again in a minute.",
  },
  {
    code: "SandboxStorageFailed",
    what: "the sandbox cannot write its data",
    why: "The disk that holds its data folder is full or not writable.",
    next: "Free some space, then run it again; it goes on where it stopped.",
  },
];

const unreachable =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|socket hang up|connection refused|transport is closing|UNAVAILABLE|network_error/i;

/** Whether a failure is of the way to the cloud, which says nothing of what was asked. */
export function isUnreachable(text: string): boolean {
  return unreachable.test(text);
}

/** Failures that carry no code of the cloud: of the way there, of the machine, of the state's backend. */
const uncoded: readonly (Omit<Explanation, "code" | "message"> & { code: string; message: RegExp })[] = [
  {
    code: "DiskFull",
    message: /no space left on device|disk is full|disk quota exceeded|ENOSPC/i,
    what: "there is no room left on the disk",
    why: "Something could not be written: the state, the sandbox's data or a temporary file.",
    next: "Free some space, then run it again; it goes on where it stopped.",
  },
  {
    code: "StateUnreadable",
    message:
      /failed to load checkpoint|could not unmarshal|unexpected end of JSON input|^invalid character/im,
    what: "what is on record about the environment cannot be read",
    why: "A file of the state's backend is damaged.",
    next:
      "Put its last good copy back (`.pulumi/backups` in the backend, by `pulumi stack import`); a sandbox begins anew after " +
      "`kiln sandbox reset`. Nothing was changed.",
  },
  {
    code: "StateBackendSignIn",
    message: /PULUMI_ACCESS_TOKEN must be set|run `pulumi login`|not logged in/i,
    what: "the engine is not signed in to a state backend",
    why: "The state of environments in Azure lives in a backend that your team runs.",
    next: "Name it in PULUMI_BACKEND_URL (azblob://…, s3://…, gs://…), or run `pulumi login`.",
  },
  {
    code: "SecretsProvider",
    message: /passphrase must be set|incorrect passphrase|get passphrase/i,
    what: "the stack's secrets provider cannot be opened",
    why: "The stack was made with a passphrase that is not the one in the environment.",
    next: "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or have the stack use azurekeyvault://.",
  },
  {
    code: "Cancelled",
    message: /\b(?:update|preview|destroy|operation) cancell?ed\b/i,
    what: "the run was cancelled",
    why: "Someone interrupted it, or `pulumi cancel` took its lock away.",
    next: "Run it again: it goes on where it stopped.",
  },
  {
    code: "CloudUnreachable",
    message: unreachable,
    what: "the cloud does not answer",
    why: "The connection was refused or broken off; a sandbox may have been stopped.",
    next: "Run it again: it goes on where it stopped (and starts the sandbox, if that is the cloud).",
  },
];

/** The codes of the cloud that an error text names, in order. */
export function cloudCodes(text: string): string[] {
  if (/cannot create already existing resource/.test(text)) return ["AlreadyExists"];
  const quoted = [...text.matchAll(/\b(?:Code|code)["']?\s*[=:]\s*["']([A-Za-z]+)["']/g)].map(
    (found) => found[1] ?? "",
  );
  return [...new Set(quoted)];
}

/** Whether a failure with this code is gone when the same is tried again a moment later. */
export function passesByItself(code: string): boolean {
  return catalogue.some((each) => each.transient === true && each.code === code);
}

/**
 * Puts the engine's error texts into plain words. Failures side by side are all told, and the raw texts come along. Pure.
 * @param texts one for each thing that failed
 */
export function explain(texts: readonly string[]): KilnError {
  const raw = texts.map((each) => each.replace(/^error: /, "")).join("\n");
  const found = new Map<Omit<Explanation, "code">, string>();
  for (const code of cloudCodes(raw)) {
    const explanation = catalogue.find(
      (each) =>
        (typeof each.code === "string" ? each.code === code : each.code.test(code)) &&
        (each.message === undefined || each.message.test(raw)),
    );
    if (explanation !== undefined && !found.has(explanation)) found.set(explanation, code);
  }
  if (found.size === 0) {
    const explanation = uncoded.find((each) => each.message.test(raw));
    if (explanation !== undefined) found.set(explanation, explanation.code);
  }
  const [first] = found;
  if (first === undefined) return unexplained(raw);
  const all = [...found.keys()];
  const each = (part: "what" | "why" | "next", between: string) =>
    [...new Set(all.map((explanation) => explanation[part]))].join(between);
  const code = first[1];
  const cause = `${each("why", " ")}\n${raw}`;
  const exitCode = first[0].exitCode ?? exitCodes.failed;
  return new KilnError({ code, message: each("what", "; "), cause, next: each("next", "\n") }, exitCode);
}

/** A failure that the catalogue does not know: its first line is what failed, the others are why. */
function unexplained(raw: string): KilnError {
  const [message = "", ...rest] = raw.trim().split("\n");
  const cause = rest.join("\n").trim();
  return new KilnError({
    code: cloudCodes(raw)[0] ?? "OperationFailed",
    message: message || "the operation failed",
    cause: cause || "That is all the engine, or the cloud, says of it.",
    next: "What was made stays recorded; mend the cause and run it again.",
  });
}
