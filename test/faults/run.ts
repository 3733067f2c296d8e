import { parseArgs } from "node:util";
import { Scenarios, scenarioOf } from "./scenario.ts";

/** `npm run faults -- --seeds 10000 [--from 1]`, or `--seed 4711 --verbose` for one of them. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      verbose: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const from = Number(values.seed ?? values.from);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count) || from < 0 || count < 1) {
    console.error("usage: npm run faults -- [--seeds COUNT] [--from SEED] | --seed SEED [--verbose]");
    return 2;
  }
  const say = (line: string) => console.error(line);
  const scenarios = await Scenarios.open();
  const began = performance.now();
  const failed: number[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const wrong = await scenarios.run(
      scenarioOf(seed),
      values.verbose ? (line) => say(`  ${line}`) : undefined,
    );
    if (wrong.length > 0) {
      failed.push(seed);
      say(`seed ${seed}: npm run faults -- --seed ${seed} --verbose`);
      for (const each of wrong) say(`  ${each}`);
    }
    if ((seed - from + 1) % 100 === 0) say(`${seed - from + 1} seeds, ${failed.length} failed`);
  }
  const seconds = (performance.now() - began) / 1000;
  await scenarios.close();
  const result = { seeds: count, failed, seconds, seedsPerSecond: count / seconds };
  if (values.json) console.log(JSON.stringify(result));
  else {
    console.log(
      `${count} seeds, ${failed.length} failed, ${seconds.toFixed(1)} s, ${result.seedsPerSecond.toFixed(1)} seeds/s`,
    );
  }
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
