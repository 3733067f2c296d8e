import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sampleOf } from "./minted.ts";
import { everything, Folder, piped, places } from "./support.ts";

const KEY = sampleOf("azure-openai-key").secret;
const PEM = sampleOf("private-key").secret;
const LOG = { kind: "log", file: "-" } as const;

describe("a log", () => {
  it("is searched by its lines, with colours and times before them", async () => {
    using folder = new Folder();
    const log = [
      "2026-11-21T10:00:00.1Z ##[group]Run kiln up dev",
      "2026-11-21T10:00:01.1Z env:",
      "2026-11-21T10:00:01.2Z   AZURE_OPENAI_API_KEY: ***",
      `2026-11-21T10:00:02.3Z \u001b[36;1mecho ${KEY}\u001b[0m`,
      "2026-11-21T10:00:03.1Z https://user:***@github.com",
    ].join("\r\n");
    folder.write("run.log", log);
    const report = await folder.scan({ kind: "log", file: "run.log" });
    expect(places(report)).toEqual(["azure-openai-key run.log:4:36"]);
    expect(everything(report)).not.toContain(KEY);
  });

  it("with its values masked is clean", async () => {
    using folder = new Folder();
    const log = [
      "AZURE_OPENAI_API_KEY=***",
      "Server=s;User ID=a;Password=***;",
      "Authorization: Bearer ***",
      "DefaultEndpointsProtocol=https;AccountName=st;AccountKey=***;EndpointSuffix=x",
      "https://st.blob.core.windows.net/c?sv=2024-11-04&se=2027-01-01&sig=***",
    ].join("\n");
    expect((await folder.scan(LOG, { stdin: piped(log) })).findings).toEqual([]);
  });

  it("of 20 MB is searched as it comes, also across the parts it comes in", async () => {
    using folder = new Folder();
    const noise = `2026-11-21T10:00:00.1234567Z npm http fetch GET 200 /package 12ms (cache hit)\n`;
    const lines: string[] = [];
    const expected: string[] = [];
    let size = 0;
    for (let line = 1; size < 20_000_000; line++) {
      const text = line % 25_000 === 0 ? `line ${KEY}\n` : noise;
      if (text !== noise) expected.push(`azure-openai-key stdin:${line}:6`);
      lines.push(text);
      size += text.length;
    }
    const report = await folder.scan(LOG, { stdin: piped(lines.join(""), 60_013) });
    expect(places(report)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(5);
    expect(report.scanned).toEqual({ count: 1, bytes: size });
  });

  it("may have a private key of many lines, cut anywhere", async () => {
    using folder = new Folder();
    const filler = `${"x".repeat(79)}\n`;
    const log = `${filler.repeat(3276)}${"y".repeat(40)}\n${PEM}\n${filler.repeat(500)}`;
    for (const part of [1000, 65_536, 262_144]) {
      expect(places(await folder.scan(LOG, { stdin: piped(log, part) }))).toEqual([
        "private-key stdin:3278:1",
      ]);
    }
  });

  it("in UTF-16 is read as such, and a stray zero byte is no reason not to", async () => {
    using folder = new Folder();
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`a\r\n${KEY}\r\n`, "utf16le")]);
    for (const part of [1, 7, 1000]) {
      expect(places(await folder.scan(LOG, { stdin: piped(wide, part) }))).toEqual([
        "azure-openai-key stdin:2:1",
      ]);
    }
    const stray = Buffer.from(`some text that is longer than its zero \0 byte\n${KEY}`);
    expect((await folder.scan(LOG, { stdin: piped(stray) })).findings).toHaveLength(1);
  });

  it("that is packed is refused: it would pass as clean", async () => {
    using folder = new Folder();
    const packed = gzipSync(
      Buffer.from(Array.from({ length: 3000 }, (_, at) => `${at * 7919} ${KEY}`).join("\n")),
    );
    await expect(folder.scan(LOG, { stdin: piped(packed) })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
      next: expect.stringContaining("Unpack"),
    });
  });

  it("that is not there is wrong usage", async () => {
    using folder = new Folder();
    await expect(folder.scan({ kind: "log", file: "no.log" })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
      message: expect.stringContaining("no.log"),
    });
    await expect(folder.scan({ kind: "log", file: "." })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
    });
  });

  it("that is empty is clean", async () => {
    using folder = new Folder();
    expect(await folder.scan(LOG, { stdin: piped("") })).toMatchObject({
      findings: [],
      scanned: { count: 1, bytes: 0 },
    });
  });

  it("full of secrets lists no end of them, and says how many more there are", async () => {
    using folder = new Folder();
    const report = await folder.scan(LOG, { stdin: piped(`${KEY}\n`.repeat(1500)) });
    expect(report.findings).toHaveLength(1000);
    expect(report.notices).toEqual(["stdin has 500 findings more than are listed."]);
  });
});
