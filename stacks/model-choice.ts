/** A model that is chosen for one run, in place of the configured one. */
export interface ModelChoice {
  readonly name: string;
  readonly version: string;
}

/** What a choice looks like, for messages. */
export const MODEL_CHOICE = "a model and its version, like gpt-5.1@2025-11-13";

/** Reads `gpt-5.1@2025-11-13`: a version belongs to a model, so that one without the other would say nothing. Pure. */
export function parseModelChoice(text: string): ModelChoice | undefined {
  const found = /^(?<name>[a-z0-9][a-z0-9.-]{0,63})@(?<version>[\w.-]{1,40})$/i.exec(text);
  const { name, version } = found?.groups ?? {};
  return name === undefined || version === undefined ? undefined : { name, version };
}

type Values = Readonly<Record<string, unknown>>;

/** The configuration with another model. Where a map should be and is none, it stays, for the schema to say. Pure. */
export function withModel(values: Values, choice: ModelChoice | undefined): Values {
  const { foundry = {} } = values;
  if (choice === undefined || !isMap(foundry)) return values;
  const { model = {} } = foundry;
  return isMap(model) ? { ...values, foundry: { ...foundry, model: { ...model, ...choice } } } : values;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
