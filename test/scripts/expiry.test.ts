import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { expiryAfter, keepExpiry, recordedExpiry, requireEphemeral } from "../../scripts/lib/expiry.ts";
import { emptyState, type State } from "../../scripts/lib/state.ts";

const at = "2026-03-02T10:00:00Z";
const group = (expiresOn: unknown) => ({
  urn: "g",
  type: "azure-native:resources:ResourceGroup",
  inputs: { tags: { env: "pr-7", expiresOn } },
});
const recorded = (expiresOn: unknown): State => ({ ...emptyState, resources: [group(expiresOn)] });

describe("when an environment expires", () => {
  it("stands in its group's tags, finished or not", () => {
    expect(recordedExpiry(recorded(at))).toEqual(new Date(at));
    const pending = [{ resource: group(at), type: "creating" }];
    expect(recordedExpiry({ ...emptyState, pending })).toEqual(new Date(at));
  });

  it.each([undefined, "", "soon", null, {}])("is never where the tag is %j", (value) => {
    expect(recordedExpiry(recorded(value))).toBeUndefined();
  });

  it("is never where nothing is on record, or nothing has a tag", () => {
    expect(recordedExpiry(emptyState)).toBeUndefined();
    const { inputs: _, ...bare } = group(at);
    expect(recordedExpiry({ ...emptyState, resources: [bare] })).toBeUndefined();
  });

  it("is whole seconds from now, never before its time is over, and can be read back", () => {
    const times = fc.date({ min: new Date("2020-01-01"), max: new Date("2090-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 90 * 86_400_000 }), (now, ttlMs) => {
        const text = expiryAfter(now, ttlMs);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const late = Date.parse(text) - now.getTime() - ttlMs;
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(1000);
        expect(recordedExpiry(recorded(text))).toEqual(new Date(text));
      }),
    );
  });
});

describe("only an environment of a pull request may expire", () => {
  it.each(["dev", "staging", "prod"])("not %s", (environment) => {
    expect(() => requireEphemeral(environment, 1000)).toThrow(
      expect.objectContaining({ message: `--ttl does not fit ${environment}`, exitCode: 2 }),
    );
    expect(requireEphemeral(environment, undefined)).toBeUndefined();
  });

  it("pr-7 may", () => {
    expect(requireEphemeral("pr-7", 1000)).toBeUndefined();
  });
});

describe("the program is told", () => {
  const session = { target: { now: () => new Date(at) } } as Parameters<typeof keepExpiry>[0];
  beforeEach(() => void vi.stubEnv("KILN_EXPIRES_ON", undefined));
  afterEach(() => void vi.unstubAllEnvs());

  it("a new time by the cloud's clock, or else the one on record, or else nothing", () => {
    keepExpiry(session, emptyState, undefined);
    expect(process.env.KILN_EXPIRES_ON).toBeUndefined();
    keepExpiry(session, recorded("2026-04-01T00:00:00Z"), undefined);
    expect(process.env.KILN_EXPIRES_ON).toBe("2026-04-01T00:00:00Z");
    keepExpiry(session, recorded("2026-04-01T00:00:00Z"), 3_600_000);
    expect(process.env.KILN_EXPIRES_ON).toBe("2026-03-02T11:00:00Z");
  });
});
