import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutput } from "../../scripts/lib/output.ts";
import { describe as named, Progress, type ProgressOptions } from "../../scripts/lib/progress.ts";
import { partsToCome, removalsToCome } from "../../scripts/lib/upcoming.ts";
import { diagnosticEvent, stepEvent, type TestStream, testStream, urnOf } from "./support.ts";

const vault = { type: "azure-native:keyvault:Vault", name: "vault" };

async function start(
  stdout: TestStream,
  options: Partial<ProgressOptions> = {},
): Promise<{ progress: Progress; handle: Progress["handle"] }> {
  const out = createOutput(false, stdout.stream, testStream().stream);
  const progress = await Progress.start(out, { preview: false, stdout: stdout.stream, ...options });
  return { progress, handle: progress.handle.bind(progress) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("in a pipeline", () => {
  it("a line tells of each step that is over, and how long it took", async () => {
    const stdout = testStream();
    const { handle, progress } = await start(stdout);
    handle(stepEvent("resourcePreEvent", vault));
    expect(stdout.take()).toBe("");
    vi.advanceTimersByTime(4200);
    handle(stepEvent("resOutputsEvent", vault));
    expect(stdout.take()).toBe("  ✓ created Vault vault (4.2 s)\n");
    progress.stop();
    expect(stdout.take()).toBe("");
  });

  it.each([
    ["update", "✓ updated Vault vault", "✗ failed updating Vault vault"],
    ["delete", "✓ deleted Vault vault", "✗ failed deleting Vault vault"],
    ["create-replacement", "✓ created anew Vault vault", "✗ failed creating anew Vault vault"],
    ["delete-replaced", "✓ deleted the old Vault vault", "✗ failed deleting the old Vault vault"],
    ["import", "✓ imported Vault vault", "✗ failed importing Vault vault"],
  ])("%s has its own words, for its end and for its failure", async (op, done, failed) => {
    const stdout = testStream();
    const { handle } = await start(stdout);
    handle(stepEvent("resourcePreEvent", { ...vault, op }));
    handle(stepEvent("resOutputsEvent", { ...vault, op }));
    handle(stepEvent("resourcePreEvent", { ...vault, op }));
    handle(stepEvent("resOpFailedEvent", { ...vault, op }));
    expect(stdout.take()).toBe(`  ${done} (0 ms)\n  ${failed} (0 ms)\n`);
  });

  it("says nothing of what stays the same, of the stack, of components and of providers", async () => {
    const stdout = testStream();
    const { handle } = await start(stdout, { upcoming: partsToCome({ resources: [] }) });
    const silent = [
      { ...vault, op: "same" },
      { type: "pulumi:pulumi:Stack", name: "kiln-dev" },
      { type: "pulumi:providers:azure-native", name: "default" },
      { type: "kiln:azure:KeyVault", name: "vault" },
    ];
    for (const step of silent) {
      handle(stepEvent("resourcePreEvent", step));
      handle(stepEvent("resOutputsEvent", step));
    }
    expect(stdout.take()).toBe("");
  });

  it("passes on what a step says for itself, but neither blank lines nor what is only for the moment", async () => {
    const stdout = testStream();
    const { handle } = await start(stdout);
    handle(diagnosticEvent("info", "waiting for the role\n"));
    handle(diagnosticEvent("info#err", "still waiting\n"));
    handle(diagnosticEvent("info", "  \n"));
    handle(diagnosticEvent("warning", "not this way"));
    const passing = diagnosticEvent("info", "passing");
    handle({
      ...passing,
      diagnosticEvent: { ...passing.diagnosticEvent, ephemeral: true },
    } as typeof passing);
    expect(stdout.take()).toBe("      waiting for the role\n      still waiting\n");
  });

  it("a preview tells at once what would be done, and nothing of ends", async () => {
    const stdout = testStream();
    const { handle } = await start(stdout, { preview: true });
    for (const op of ["create", "update", "delete", "create-replacement", "delete-replaced"])
      handle(stepEvent("resourcePreEvent", { ...vault, op }));
    handle(stepEvent("resOutputsEvent", vault));
    expect(stdout.take().split("\n")).toEqual([
      "  + create Vault vault",
      "  ~ update Vault vault",
      "  - delete Vault vault",
      "  + create Vault vault",
      "  - delete Vault vault",
      "",
    ]);
  });
});

describe("in a terminal", () => {
  const terminal = () => testStream({ columns: 120, rows: 40 });

  it("shows what is under way and for how long, and takes it away in the end", async () => {
    const stdout = terminal();
    const { handle, progress } = await start(stdout);
    handle(stepEvent("resourcePreEvent", vault));
    vi.advanceTimersByTime(65_000);
    const frame = stdout.take();
    expect(frame).toContain("… 0 done · 1 min 05 s");
    expect(frame).toContain("creating Vault vault 1 min 05 s");
    handle(stepEvent("resOutputsEvent", vault));
    const after = stdout.take();
    expect(after).toContain("✓ created Vault vault (1 min 05 s)");
    expect(after).toContain("… 1 done");
    expect(after).not.toContain("creating Vault vault");
    progress.stop();
    stdout.take();
    vi.advanceTimersByTime(60_000);
    expect(stdout.take()).toBe("");
  });

  it("shows the parts of the program that come next, and none once it has begun", async () => {
    const stdout = terminal();
    const { handle, progress } = await start(stdout, { upcoming: partsToCome({ resources: [] }) });
    const parts = ["OpenAiAccount", "KeyVault", "KeyCustody", "AppStorage", "FunctionApp"];
    for (const name of parts)
      handle(stepEvent("resourcePreEvent", { type: `kiln:azure:${name}`, name: name.toLowerCase() }));
    vi.advanceTimersByTime(200);
    expect(stdout.take()).toContain(
      "next: OpenAiAccount openaiaccount, KeyVault keyvault, KeyCustody keycustody and 2 more",
    );
    const under = (name: string) => ({ parent: urnOf(`kiln:azure:${name}`, name.toLowerCase()) });
    handle(stepEvent("resourcePreEvent", { ...vault, ...under("KeyVault") }));
    handle(stepEvent("resOutputsEvent", { ...vault, ...under("KeyVault") }));
    expect(stdout.take()).toContain(
      "next: OpenAiAccount openaiaccount, KeyCustody keycustody, AppStorage appstorage and 1 more",
    );
    for (const name of ["OpenAiAccount", "KeyCustody", "AppStorage", "FunctionApp"])
      handle(stepEvent("resourcePreEvent", { type: "command:local:Command", name, ...under(name) }));
    vi.advanceTimersByTime(200);
    const last = stdout.take();
    expect(last).toContain("creating Command FunctionApp 200 ms");
    expect(last).not.toContain("next:");
    progress.stop();
  });

  it("a down shows next what is on record and still there", async () => {
    const stdout = terminal();
    const resources = ["group", "vault", "app"].map((name) => ({ ...vault, urn: urnOf(vault.type, name) }));
    const { handle, progress } = await start(stdout, { upcoming: removalsToCome({ resources }) });
    handle(stepEvent("resourcePreEvent", { ...vault, op: "delete", name: "app" }));
    vi.advanceTimersByTime(200);
    const frame = stdout.take();
    expect(frame).toContain("deleting Vault app 200 ms");
    expect(frame).toMatch(/next: Vault vault, Vault group$/m);
    progress.stop();
  });
});

describe("with --json", () => {
  it("says nothing at all, whatever the stream is", async () => {
    const stdout = testStream({ columns: 80, rows: 24 });
    const out = createOutput(true, stdout.stream, stdout.stream);
    const progress = await Progress.start(out, { preview: false, stdout: stdout.stream });
    progress.handle(stepEvent("resourcePreEvent", vault));
    vi.advanceTimersByTime(1000);
    progress.handle(stepEvent("resOutputsEvent", vault));
    progress.stop();
    expect(stdout.take()).toBe("");
  });
});

describe("a resource in words", () => {
  it("is its type's last part and its name", () => {
    expect(named({ type: "azure-native:web:WebApp", urn: "urn:pulumi:dev::kiln::a$b::app" })).toMatch(
      /^WebApp .*app/,
    );
  });
});
