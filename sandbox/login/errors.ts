import { CloudError } from "../core/errors.ts";

/** An OAuth error of Entra ID; `aadsts` is the number that clients and people look for. */
export class OAuthError extends CloudError {
  readonly aadsts: number;
  constructor(status: number, code: string, aadsts: number, message: string) {
    super(status, code, `AADSTS${aadsts}: ${message}`);
    this.aadsts = aadsts;
  }
}
