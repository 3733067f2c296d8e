import { describe, expect, it } from "vitest";
import { patiently } from "../../../scripts/lib/cluster/client.ts";

const refusal = (code: number, message: string) =>
  Object.assign(new Error(`HTTP-Code: ${code}`), { code, body: JSON.stringify({ kind: "Status", message }) });

describe("what a server puts off", () => {
  it("is asked for again", async () => {
    const answers = [refusal(429, "storage is (re)initializing"), undefined];
    const asked = await patiently(async () => {
      const trouble = answers.shift();
      if (trouble !== undefined) throw trouble;
      return "there";
    });
    expect(asked).toBe("there");
  });

  it("is not what it refuses: that is told at once, in its own words", async () => {
    let times = 0;
    const work = patiently(async () => {
      times++;
      throw refusal(403, 'namespaces is forbidden: User "viewer" cannot list');
    });
    await expect(work).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(/^namespaces is forbidden/),
    });
    expect(times).toBe(1);
  });

  it("leaves alone what is no answer of a server", async () => {
    await expect(patiently(() => Promise.reject(new Error("connect ECONNREFUSED")))).rejects.toThrow(
      "ECONNREFUSED",
    );
  });
});
