import type { Session } from "../provider.ts";
import type { ValueMap } from "../values.ts";
import { isApiError, isNamespaceMissing, NoMatchError } from "./api-error.ts";

/**
 * Whether a failure of a dry run says nothing of the run itself: a namespace or a definition may be made before. What one
 * may not do is said, but does not end a preview, as with the real provider.
 */
export async function onlyInPreview(error: unknown, urn: string, session: Session): Promise<boolean> {
  if (error instanceof NoMatchError || isNamespaceMissing(error)) return true;
  // What is to be replaced is still there.
  if (error instanceof Error && isApiError(error.cause, 409) && error.cause.reason === "AlreadyExists")
    return true;
  if (!isApiError(error, 403)) return false;
  await session.log(urn, "warning", `the API server would refuse this: ${error.message}`);
  return true;
}

/** The outputs of a dry run: a status is not known before there is one. */
export function previewed({ status: _status, ...outputs }: ValueMap): ValueMap {
  return outputs;
}
