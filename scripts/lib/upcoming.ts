import type { State, StateResource } from "./state.ts";

/** A resource as the engine's events and the record both name it. */
export type Named = Pick<StateResource, "urn" | "type">;

/** What the engine says of a resource when it comes to it, as far as it matters here. */
export type Begun = Named & { readonly new?: { readonly parent?: string } | undefined };

/** What an operation is certain to come to and has not begun, the soonest first. */
export interface Upcoming {
  begin(resource: Begun): void;
  readonly next: readonly Named[];
}

/**
 * Of an `up`: the program's components of which nothing is on record and nothing has begun. The program registers all its
 * components at once, and the resources in them when what these need is there. Of a component with something on record
 * nobody knows beforehand whether anything is to be done, so it is not named.
 */
export function partsToCome({ resources }: Pick<State, "resources">): Upcoming {
  const started = new Set(resources.map(({ parent }) => parent));
  const waiting = new Map<string, Named>();
  return {
    begin: ({ urn, type, new: made }) => {
      if (made?.parent !== undefined) {
        started.add(made.parent);
        waiting.delete(made.parent);
      }
      if (type.startsWith("kiln:") && !started.has(urn)) waiting.set(urn, { urn, type });
    },
    get next() {
      return [...waiting.values()];
    },
  };
}

/** Of a `down`: what is on record, the last that was made first. */
export function removalsToCome({ resources }: Pick<State, "resources">): Upcoming {
  const waiting = new Map([...resources].reverse().map(({ urn, type }) => [urn, { urn, type }]));
  return {
    begin: ({ urn }) => {
      waiting.delete(urn);
    },
    get next() {
      return [...waiting.values()];
    },
  };
}
