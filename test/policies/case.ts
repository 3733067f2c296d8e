/** What a case registers. `props` are what the program would write. */
export interface Case {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Where the failing case is wrong, as the violation names it. */
  readonly property?: string;
  /** Stack to judge it in; the engine registers the cases of `prod` only. @default "prod" */
  readonly stack?: string;
}

/** The cases of one rule that judges resources one by one. */
export interface Cases {
  readonly pass: Readonly<Record<string, Case>>;
  readonly fail: Readonly<Record<string, Case>>;
}

export const tags = (env = "prod") => ({
  env,
  service: "openai",
  repo: "o/r",
  owner: "team",
  costCenter: "42",
});

/** A key of the shape Azure OpenAI mints; it opens nothing. */
export const OPENAI_KEY = `${"a1B2".repeat(13)}JQQJ99BKACYeBjFXJ3w3AAABACOGabcd`;

/** A failing case: the property is where it is wrong. */
export const wrong = (each: Case, property: string): Case => ({ ...each, property });

/** A case of another stack. */
export const within = (stack: string, each: Case): Case => ({ ...each, stack });
