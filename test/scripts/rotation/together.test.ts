import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitCodes, KilnError } from "../../../scripts/lib/errors.ts";
import { Actor } from "../../harness/world/actor.ts";
import { Interleaving } from "../../harness/world/interleaving.ts";
import { Scene, type Setting, type Wanted } from "./scene.ts";

/** How long a request may be held up, in milliseconds. */
const LONGEST_MS = 900;
const SEEDS = Number(process.env.SEEDS ?? 40);

const backend = { name: "fn-a", made: true };
const cases: readonly (readonly [string, Setting, readonly Wanted[]])[] = [
  ["two rotations", { slot: "key1", apps: [backend] }, [{}, {}]],
  [
    "two, one enabled version kept",
    { slot: "key2", apps: [backend] },
    [{ keepVersions: 1 }, { keepVersions: 1 }],
  ],
  ["one that revokes, one that does not", { slot: "key1", apps: [backend] }, [{ revokeOld: true }, {}]],
  [
    "two with a consumer behind",
    {
      slot: "key1",
      apps: [
        { ...backend, behind: true },
        { name: "fn-b", made: false },
      ],
    },
    [{}, {}],
  ],
  ["two that mend", { slot: null, liveBefore: true, apps: [backend] }, [{ adopt: true }, { adopt: true }]],
  ["three", { slot: "key1", apps: [backend] }, [{}, {}, { revokeOld: true }]],
];

/** What is wrong after runs at once, and one that comes after them. */
async function wrongOf(scene: Scene, wanted: readonly Wanted[], seed: number): Promise<string[]> {
  scene.again();
  const turns = new Interleaving(scene.world, seed, LONGEST_MS);
  const todo = wanted.map((each) => ({ actor: new Actor(scene.world, { turns }), wanted: each }));
  const runs = await turns.run(todo, ({ actor, wanted }) => scene.rotate(wanted, actor));
  const failed = runs.flatMap((run) => {
    if (run.status === "fulfilled") return [];
    const error: unknown = run.reason;
    return error instanceof KilnError && error.exitCode === exitCodes.locked ? [] : [String(error)];
  });
  const outages = scene.outages.splice(0);
  const all = { keepVersions: 3, adopt: wanted.some(({ adopt }) => adopt === true), ...wanted[0] };
  const last = await scene.rotate({ ...all, revokeOld: false }).then(
    () => [],
    (error: unknown) => [`a run after it: ${error}`],
  );
  return [...failed, ...outages, ...last, ...(await scene.unsettled(all))];
}

describe.each(cases)("%s at once", (_, setting, wanted) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(setting);
  });
  afterAll(() => scene.close());

  test("one wins, the other is told to wait; no key that is held ever dies", async () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const found = await wrongOf(scene, wanted, seed);
      wrong.push(...found.map((each) => `seed ${seed}: ${each}`));
    }
    expect(wrong).toEqual([]);
  });
});
