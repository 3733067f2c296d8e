import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Scenarios, scenarioOf } from "./scenario.ts";

const USAGE =
  "usage: npm run faults -- [--seeds COUNT] [--from SEED] [--jobs COUNT] [--json] | --seed SEED [--verbose]";

/** Seeds that are worth a process of their own. */
const SEEDS_PER_JOB = 50;

const say = (line: string) => console.error(line);

/** `npm run faults -- --seeds 10000 [--from 1]`, or `--seed 4711 --verbose` for one of them. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      jobs: { type: "string", default: String(availableParallelism()) },
      verbose: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const from = Number(values.seed ?? values.from);
  const seeds = values.seed === undefined ? Number(values.seeds) : 1;
  const jobs = Math.min(Number(values.jobs), Math.ceil(seeds / SEEDS_PER_JOB));
  if (![from, seeds, jobs].every((each) => Number.isSafeInteger(each) && each >= 0) || jobs < 1) {
    say(USAGE);
    return 2;
  }
  const began = performance.now();
  const failed =
    jobs === 1
      ? await runAll(from, seeds, values.verbose)
      : (await Promise.all(sharesOf(from, seeds, jobs).map(runApart))).flat();
  const seconds = (performance.now() - began) / 1000;
  const rate = seeds / seconds;
  if (values.json) console.log(JSON.stringify({ seeds, failed, seconds, seedsPerSecond: rate }));
  else
    console.log(
      `${seeds} seeds, ${failed.length} failed, ${seconds.toFixed(1)} s, ${rate.toFixed(1)} seeds/s`,
    );
  return failed.length === 0 ? 0 : 1;
}

/** Runs seeds one after the other. @returns those that failed */
async function runAll(from: number, seeds: number, verbose: boolean): Promise<number[]> {
  const scenarios = await Scenarios.open();
  const failed: number[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const wrong = await scenarios.run(scenarioOf(seed), verbose ? (line) => say(`  ${line}`) : undefined);
    if (wrong.length > 0) {
      failed.push(seed);
      say(`seed ${seed} failed: npm run faults -- --seed ${seed} --verbose`);
      for (const each of wrong) say(`  ${each}`);
    }
    if ((seed - from + 1) % 100 === 0) say(`${seed - from + 1} seeds from ${from}, ${failed.length} failed`);
  }
  await scenarios.close();
  return failed;
}

interface Share {
  readonly from: number;
  readonly seeds: number;
}

function sharesOf(from: number, seeds: number, jobs: number): Share[] {
  const each = Math.ceil(seeds / jobs);
  return Array.from({ length: jobs }, (_, job) => ({
    from: from + job * each,
    seeds: Math.min(each, seeds - job * each),
  })).filter((share) => share.seeds > 0);
}

/** The same in a process of its own: Pulumi's SDK has room for one program at a time. */
function runApart({ from, seeds }: Share): Promise<number[]> {
  const args = [import.meta.filename, "--json", "--jobs=1", `--from=${from}`, `--seeds=${seeds}`];
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, args, (error, stdout) => {
      if (stdout === "") reject(error ?? new Error("a process that runs seeds said nothing"));
      else resolve((JSON.parse(stdout) as { failed: number[] }).failed);
    });
    child.stderr?.pipe(process.stderr, { end: false });
  });
}

process.exitCode = await main();
