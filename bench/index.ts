/**
 * `npm run bench [-- --quick] [-- --only NAME,…]`: what Kiln promises about speed, measured. Everything is measured side by
 * side in one run and in turn, so that what slows the machine slows both sides. One JSON document per line on stdout, the
 * machine first; progress on stderr. A missed target is reported, and is no failure.
 */
import { parseArgs } from "node:util";
import { machineLine } from "./lib/machine.ts";
import { openPlace, type Place } from "./lib/place.ts";
import { type Finding, lineOf } from "./lib/report.ts";
import { controlPlane } from "./measures/control-plane.ts";
import { faults } from "./measures/faults.ts";
import { growth } from "./measures/growth.ts";
import { help } from "./measures/help.ts";
import { parallel } from "./measures/parallel.ts";
import { preview } from "./measures/preview.ts";
import { requests } from "./measures/requests.ts";
import { rotation } from "./measures/rotation.ts";
import { sandboxStart } from "./measures/sandbox-start.ts";
import { serving } from "./measures/serving.ts";
import { up } from "./measures/up.ts";

/** In the order in which they run. To add one, write it in a file under measures/ and name it here. */
const measures: Readonly<Record<string, (place: Place) => Promise<Finding[]>>> = {
  help,
  up,
  preview,
  requests,
  "sandbox-start": sandboxStart,
  "control-plane": controlPlane,
  rotation,
  faults,
  parallel,
  serving,
  growth,
};

const usage = `Usage: npm run bench [-- --quick] [-- --only NAME,…]

Measures speed side by side, one JSON document per line on stdout. --quick measures less often and smaller environments.
Names: ${Object.keys(measures).join(", ")}
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: "boolean" }, only: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const names = values.only?.split(",") ?? Object.keys(measures);
  const unknown = names.find((name) => !(name in measures));
  if (unknown !== undefined) {
    throw new Error(`there is no measure ${unknown}; there are ${Object.keys(measures).join(", ")}`);
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
  }
  const quick = values.quick ?? false;
  const began = Date.now();
  const say = (line: string): void => console.error(`${seconds(began)}  ${line}`);
  const place = await openPlace({ quick, signal: interrupted.signal, say });
  try {
    console.log(machineLine(place.engine, quick));
    for (const name of names) {
      say(`— ${name}`);
      for (const finding of (await measures[name]?.(place)) ?? []) console.log(lineOf(finding));
    }
  } finally {
    await place.dispose();
  }
  say("done");
}

/** How long it has run. */
function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(0).padStart(4)} s`;
}

await main().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
