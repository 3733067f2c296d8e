import { isApiError, NoMatchError } from "./api-error.ts";
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

export function updateFailure(urn: string, error: unknown): string {
  if (error instanceof NoMatchError) {
    return `update of resource "${urn}" failed because ${noSuchKind}: ${error.message}`;
  }
  if (isApiError(error, 404)) {
    return `update of resource "${urn}" failed: ${error.message}: it was deleted outside of Pulumi; \`pulumi refresh\` takes note of that`;
  }
  return `update of resource "${urn}" failed: ${messageOf(error)}`;
}

export function createdButNotReady(urn: string, error: unknown): string {
  return `resource "${urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: ${messageOf(error)}`;
}

export function updatedButNotReady(id: string, error: unknown): string {
  return `the Kubernetes API server reported that "${id}" failed to fully initialize or become live: ${messageOf(error)}`;
}

export function foundNotReady(name: string, reasons: readonly string[]): string {
  return `Resource '${name}' was created but failed to initialize: ${reasons.join("\n  - ")}`;
}
