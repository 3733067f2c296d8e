/** What an object's state says of its being ready. */
export type Verdict =
  | { readonly state: "ready" }
  | { readonly state: "waiting"; readonly message: string }
  /** It will not become ready by itself. */
  | { readonly state: "failed"; readonly message: string };

export const ready: Verdict = { state: "ready" };

export function waiting(message: string): Verdict {
  return { state: "waiting", message };
}
