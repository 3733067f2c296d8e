import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import type { Engine } from "../../engine/index.ts";

/** What the figures hang on, as the first line of the report. */
export function machineLine(engine: Engine, quick: boolean): string {
  return JSON.stringify({
    name: "machine",
    platform: `${process.platform}-${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    engine: engine.version,
    engineSource: engine.source,
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
    quick,
  });
}
