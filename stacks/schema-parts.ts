/** What the schemas of the systems are made of: each part says in words what is allowed. */
import { z } from "zod";
import { TAG_VALUE_MAX } from "../components/shared/tags.ts";

/** Text of a pattern and a length. @param allowed what may stand there, in words */
export const text = (allowed: string, pattern: RegExp, max: number) =>
  z
    .string({ error: (issue) => wrong(issue.input, allowed) })
    .refine((value) => value.length <= max && pattern.test(value), {
      error: (issue) => wrong(issue.input, allowed),
    });
/** A whole number with its unit; the bounds are inclusive. */
export const whole = (min: number, max: number, unit: string) => {
  const allowed = `a whole number of ${unit} from ${min} to ${max}`;
  const error = (issue: { input?: unknown }) => wrong(issue.input, allowed);
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: (issue) => wrong(issue.input, `one of ${values.join(", ")}`) });
/** True or false. */
export const flag = () => z.boolean({ error: (issue) => wrong(issue.input, "true or false") });
/** The message for what should be a map and is none. */
export const section = (issue: { code?: string; input?: unknown }) =>
  issue.code === "invalid_type" ? wrong(issue.input, "a map of keys and values") : undefined;

/** The message of one problem. A value is shown as it stands in the file: configuration holds no secrets. */
export function wrong(value: unknown, allowed: string): string {
  if (value === undefined) return `is missing; allowed: ${allowed}`;
  return `is ${JSON.stringify(value)}; allowed: ${allowed}`;
}

/** A tag's value. */
export const tagValue = (what: string) =>
  text(`${what}, 1 to ${TAG_VALUE_MAX} characters`, /^\S(?:[^\p{Cc}]*\S)?$/u, TAG_VALUE_MAX);
/** An Azure region. */
export const region = () =>
  text("an Azure region in its short form, like eastus or swedencentral", /^[a-z]{4,}[a-z0-9]*$/, 40);

/** A number with its unit, in steps of a thousandth; the bounds are inclusive. */
export const amount = (min: number, max: number, unit: string) => {
  const allowed = `a number of ${unit} from ${min} to ${max}`;
  const error = (issue: { input?: unknown }) => wrong(issue.input, allowed);
  return z
    .number({ error })
    .min(min, { error })
    .max(max, { error })
    .refine((value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6, { error });
};

/** A list of whatever `of` is. @param what its entries in words, for example `data science projects` */
export const list = <T extends z.ZodType>(of: T, what: string) =>
  z.array(of, { error: (issue) => wrong(issue.input, `a list of ${what}, [] for none`) });
