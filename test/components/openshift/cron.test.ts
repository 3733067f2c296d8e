import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronProblem, timeZoneProblem } from "../../../components/shared/cron.ts";

describe("cronProblem", () => {
  it.each([
    "@hourly",
    "@daily",
    "* * * * *",
    "17 3 * * *",
    "*/15 0-6,20-23 * * MON-FRI",
    "5/10 * 1,15 jan,JUL ?",
    "0 0 29 2 *",
    // With a day of the week, either day will do.
    "0 0 31 2 MON",
  ])("takes %s", (schedule) => {
    expect(cronProblem("schedule", schedule)).toBeUndefined();
  });

  it.each([
    ["", /five fields/],
    ["* * * *", /five fields/],
    ["0 0 * * * *", /five fields/],
    ["CRON_TZ=UTC 0 0 * * *", /five fields/],
    ["@every 5m", /known are @hourly/],
    ["60 * * * *", /"60" is no minute/],
    ["* 24 * * *", /"24" is no hour/],
    ["* * 0 * *", /"0" is no day of the month/],
    ["* * * 13 *", /"13" is no month/],
    ["* * * * 7", /"7" is no day of the week/],
    ["* * * * xyz", /"xyz" is no day of the week/],
    ["*/0 * * * *", /no minute/],
    ["30-10 * * * *", /no minute/],
    ["1,,2 * * * *", /no minute/],
    ["-1 * * * *", /no minute/],
    ["0 0 31 2 *", /never comes/],
    ["0 0 31 4,6 *", /never comes/],
    ["0 0 30,31 feb ?", /never comes/],
  ])("refuses %s", (schedule, message) => {
    expect(cronProblem("schedule", schedule)).toMatchObject({
      field: "schedule",
      message: expect.stringMatching(message),
    });
  });

  it("takes every list of values within bounds and none beyond", () => {
    const minutes = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(minutes, (values) => {
        const wrong = cronProblem("schedule", `${values.join(",")} * * * *`) !== undefined;
        expect(wrong).toBe(values.some((value) => value > 59));
      }),
    );
  });
});

describe("timeZoneProblem", () => {
  it.each(["Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])("takes %s", (zone) => {
    expect(timeZoneProblem("timeZone", zone)).toBeUndefined();
  });

  it.each(["", "Local", "+02:00", "Europe/Nowhere", "Europe/Berlin "])("refuses %j", (zone) => {
    expect(timeZoneProblem("timeZone", zone)?.message).toContain("IANA name");
  });
});
