import type { FieldProblem } from "./validation.ts";

const MACROS = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** The longest each month gets. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface Field {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { title: "minute", min: 0, max: 59 },
  { title: "hour", min: 0, max: 23 },
  { title: "day of the month", min: 1, max: 31 },
  { title: "month", min: 1, max: 12, names: MONTHS },
  { title: "day of the week", min: 0, max: 6, names: DAYS },
];

/**
 * What is wrong with a schedule, or undefined. As the CronJob controller reads them: five fields or a macro, no time zone
 * within, Sunday is 0. Also refused is what the API server would take and never run, as the 31st of February.
 * Source: kubernetes.io/docs/concepts/workloads/controllers/cron-jobs. Pure.
 */
export function cronProblem(field: string, schedule: string): FieldProblem | undefined {
  if (MACROS.includes(schedule)) return undefined;
  const wrong = (message: string) => ({ field, message: `is ${JSON.stringify(schedule)}: ${message}` });
  if (schedule.startsWith("@")) return wrong(`known are ${MACROS.join(", ")}`);
  const parts = schedule.trim().split(/\s+/);
  if (parts.length !== FIELDS.length)
    return wrong("five fields are needed: minute, hour, day of the month, month, day of the week");
  const sets: ReadonlySet<number>[] = [];
  for (const [index, definition] of FIELDS.entries()) {
    const values = valuesOf(parts[index] ?? "", definition);
    if (values === undefined) {
      const { title, min, max } = definition;
      return wrong(
        `${JSON.stringify(parts[index])} is no ${title}; ${min} to ${max}, ranges, lists and steps are`,
      );
    }
    sets.push(values);
  }
  const [, , days, months] = sets;
  const everyWeekday = /^[*?]/.test(parts[4] ?? "");
  const longest = Math.max(...[...(months ?? [])].map((month) => MONTH_DAYS[month - 1] ?? 0));
  if (everyWeekday && Math.min(...(days ?? [])) > longest)
    return wrong("it never comes; no such month has that day");
  return undefined;
}

/** What is wrong with a time zone, or undefined. Pure. */
export function timeZoneProblem(field: string, timeZone: string): FieldProblem | undefined {
  const message = `is ${JSON.stringify(timeZone)}; an IANA name like Europe/Berlin or Etc/UTC is needed`;
  if (!/^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)*$/.test(timeZone)) return { field, message };
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return undefined;
  } catch {
    return { field, message };
  }
}

/** The values a field stands for, or undefined when it is none. */
function valuesOf(text: string, field: Field): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const match = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
    if (match === null) return undefined;
    const [, all, from = "", to, stepText] = match;
    const step = stepText === undefined ? 1 : Number(stepText);
    const first = all === undefined ? numberOf(from, field) : field.min;
    // "5/10" means from 5 on, every tenth.
    const open = all !== undefined || (to === undefined && stepText !== undefined);
    const last = open ? field.max : numberOf(to ?? from, field);
    if (first === undefined || last === undefined || first > last || step < 1) return undefined;
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

function numberOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
