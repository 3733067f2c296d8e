import { CloudError } from "../core/errors.ts";

const docsBase = "https://docs.github.com/rest";

/** One entry of a validation error's `errors`. */
export interface FieldError {
  readonly resource: string;
  readonly field?: string;
  /** `missing_field`, `invalid`, `already_exists`, `custom`, … */
  readonly code: string;
  readonly message?: string;
}

/** An error as GitHub's REST API words it: `{message, errors?, documentation_url, status}`. */
export class GitHubError extends CloudError {
  readonly errors: readonly (FieldError | string)[] | undefined;
  /** The page of the REST reference, such as `repos/repos#get-a-repository`. @default the route's own */
  readonly docs: string | undefined;

  constructor(
    status: number,
    message: string,
    options: {
      errors?: readonly (FieldError | string)[];
      docs?: string;
      headers?: Record<string, string>;
    } = {},
  ) {
    super(status, String(status), message, options.headers === undefined ? {} : { headers: options.headers });
    this.errors = options.errors;
    this.docs = options.docs;
  }
}

/** What is not there, or not for this caller: GitHub does not tell these two apart. */
export function notFound(message = "Not Found"): GitHubError {
  return new GitHubError(404, message);
}

/** 422 `Validation Failed`. */
export function invalid(...errors: FieldError[]): GitHubError {
  return new GitHubError(422, "Validation Failed", { errors });
}

/** 422 with a sentence of its own. */
export function unprocessable(message: string): GitHubError {
  return new GitHubError(422, message);
}

/** Any error's body on GitHub's wire. */
export function errorBody(error: CloudError, docs: string | undefined): object {
  const page = (error instanceof GitHubError ? error.docs : undefined) ?? docs;
  const message = error.code === "InvalidRequestContent" ? "Problems parsing JSON" : error.message;
  return {
    message,
    ...(error instanceof GitHubError && error.errors !== undefined ? { errors: error.errors } : {}),
    documentation_url: page === undefined || page === "" ? docsBase : `${docsBase}/${page}`,
    status: String(error.status),
  };
}
