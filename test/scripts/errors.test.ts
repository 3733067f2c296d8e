import { expect, it } from "vitest";
import { exitCodes, KilnError, usageError } from "../../scripts/lib/errors.ts";

const trouble = { code: "Broken", message: "it broke", cause: "it was old", next: "buy a new one" };

it("the exit codes are those that are promised", () => {
  expect(exitCodes).toEqual({
    done: 0,
    failed: 1,
    usage: 2,
    policy: 3,
    locked: 4,
    check: 5,
    hangup: 129,
    interrupted: 130,
    terminated: 143,
  });
});

it("a failure carries its parts, and is a failure of the cloud or the program unless it says otherwise", () => {
  const error = new KilnError(trouble);
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("KilnError");
  expect({ ...error, message: error.message }).toMatchObject(trouble);
  expect(error.exitCode).toBe(1);
  expect(error.problems).toBeUndefined();
  expect(new KilnError(trouble, exitCodes.locked).exitCode).toBe(4);
});

it("a failure carries the places of the configuration that are wrong", () => {
  const problems = [{ file: "Pulumi.dev.yaml", key: "kiln:location", message: "is 5" }];
  expect(new KilnError({ ...trouble, problems }, exitCodes.usage).problems).toEqual(problems);
});

it("wrong usage points to the help unless there is something better", () => {
  expect(usageError("no such verb", "it is not known")).toMatchObject({
    code: "Usage",
    message: "no such verb",
    cause: "it is not known",
    next: "See `kiln --help`.",
    exitCode: 2,
  });
  expect(usageError("a", "b", "Add --yes.").next).toBe("Add --yes.");
});
