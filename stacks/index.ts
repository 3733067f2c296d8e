/** Where the engine enters the program. Its named exports would be the stack's outputs; a default export is called. */
import { Resource } from "@pulumi/pulumi";
import { wantsStackTraces } from "./config.ts";
import { program } from "./program.ts";

// The SDK captures and source-maps a stack trace for each promise, which took a quarter of the time of a large preview.
// An error still says what is wrong; KILN_STACK_TRACES=1 says where.
if (!wantsStackTraces(process.env)) {
  Error.stackTraceLimit = 0;
  // It also takes one of each resource, whole, for the engine, which keeps it in the state: a third of a large state's size, written
  // anew at each step, with paths of whoever's machine it was.
  Object.assign(Resource, { stackTrace: () => [] });
}

export default program;
