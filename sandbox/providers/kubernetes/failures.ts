import { isApiError, NoMatchError } from "./api-error.ts";
import { NotReady } from "./await.ts";
import { type Kind, kindKey } from "./kinds.ts";

/*
 * What failed, in the real provider's words.
 */

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const noSuchKind =
  "the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created";

export function createFailure(urn: string, kind: Kind, error: unknown): string {
  if (error instanceof NoMatchError) {
    return `creation of resource "${urn}" with kind ${kindKey(kind)} failed because ${noSuchKind}: ${error.message}`;
  }
  return `resource "${urn}" was not successfully created by the Kubernetes API server: ${messageOf(error)}`;
}

/** @param id of the object; @param found whether it is still there */
export function updateFailure(urn: string, id: string, error: unknown, found: boolean): string {
  if (error instanceof NoMatchError) {
    return `update of resource "${urn}" failed because ${noSuchKind}: ${error.message}`;
  }
  if (isApiError(error, 404)) {
    return `update of resource "${urn}" failed: ${error.message}: it was deleted outside of Pulumi; \`pulumi refresh\` takes note of that`;
  }
  // Of what is there the real provider says the same, whether the change was refused or did not become ready.
  return found
    ? `${notLive(id)}: ${messageOf(error)}`
    : `update of resource "${urn}" failed: ${messageOf(error)}`;
}

/** What is said of an object that is there and not as it should be: as a whole, and as the engine shows it, a line each. */
export interface Said {
  readonly message: string;
  readonly reasons: readonly string[];
}

export function createdButNotReady(urn: string, error: unknown): Said {
  return said(
    `resource "${urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live`,
    error,
  );
}

export function updatedButNotReady(id: string, error: unknown): Said {
  return said(notLive(id), error);
}

export function foundNotReady(name: string, reasons: readonly string[]): Said {
  const headline = `Resource '${name}' was created but failed to initialize`;
  return { message: `${headline}: ${reasons.join("\n  - ")}`, reasons: [headline, ...reasons] };
}

const notLive = (id: string) =>
  `the Kubernetes API server reported that "${id}" failed to fully initialize or become live`;

function said(about: string, error: unknown): Said {
  const message = `${about}: ${messageOf(error)}`;
  if (!(error instanceof NotReady)) return { message, reasons: [message] };
  return { message, reasons: [`${about}: ${error.headline}`, ...error.reasons] };
}
