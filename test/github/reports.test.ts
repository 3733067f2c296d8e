import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { githubClient } from "../../scripts/lib/github/client.ts";
import { documentMarkdown, masked, parseDocument } from "../../scripts/lib/github/markdown.ts";
import { commentBody, stickyComment } from "../../scripts/lib/github/sticky-comment.ts";
import type { Output } from "../../scripts/lib/output.ts";
import { markdownOf, summary } from "../../scripts/verbs/github/summary.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kiln-reports-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string) => {
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return at;
};
const markdown = (document: object) => {
  const parsed = parseDocument(JSON.stringify(document));
  if (parsed === undefined) throw new Error("it is no document");
  return documentMarkdown(parsed);
};

describe("a result as Markdown", () => {
  it("shows what a verb ended with", () => {
    expect(
      markdown({
        verb: "up",
        env: "dev",
        cloud: "azure",
        result: "succeeded",
        region: "eastus",
        changes: { create: 2, update: 0, delete: 0, replace: 0, same: 3 },
        outputs: { functionAppName: "func-kiln-dev" },
        violations: [{ policy: "required-tags", level: "advisory", resource: "urn", message: "a | b" }],
        durationMs: 61_000,
      }),
    ).toBe(
      [
        "### ✅ `up dev`: `succeeded`",
        "",
        "| | |",
        "| --- | --- |",
        "| region | `eastus` |",
        "| cloud | `azure` |",
        "| changes | 2 create, 3 same |",
        "| `functionAppName` | `func-kiln-dev` |",
        "| took | 1 min 01 s |",
        "",
        "- `required-tags (advisory)`: `a \\| b`",
      ].join("\n"),
    );
  });

  it("shows checks, a receipt and a failure", () => {
    const text = markdown({
      verb: "smoke",
      env: "dev",
      result: "failed",
      checks: [{ name: "health", passed: false, detail: "no key" }],
      purged: [{ kind: "vault", name: "kv" }],
      remaining: [{ what: "workspace", name: "log", why: "kept" }],
      error: { code: "SmokeFailed", message: "1 of 2", cause: "```\nhealth", next: "look" },
    });
    expect(text).toContain("### ❌ `smoke dev`: `failed`");
    expect(text).toContain("| ❌ `health` | `no key` |");
    expect(text).toContain("| purged `vault` | `kv` |");
    expect(text).toContain("| remains: `workspace` | `log`: `kept` |");
    // A fence longer than any in the text, which could otherwise end it.
    expect(text).toContain("````text\n```\nhealth\n````");
  });

  it("shows what became of a key, and of expired environments", () => {
    const rotated = markdown({
      verb: "rotate-key",
      env: "dev",
      result: "succeeded",
      outcome: "rotated",
      from: "key1",
      slot: "key2",
      consumers: [{ app: "func", proof: "health", settings: ["A"] }],
    });
    expect(rotated).toContain("| `rotated` | `key1 → key2` |\n| consumer `func` | `health` |");
    const reaped = markdown({
      verb: "reap",
      result: "failed",
      reaped: [{ env: "pr-1", result: "failed", error: {} }],
      kept: 2,
    });
    expect(reaped).toContain("| `pr-1` | `failed` |\n| kept | 2 |");
  });

  it("takes nothing that it does not know, and lets no text become a link, a mention or HTML", () => {
    const text = markdown({
      verb: "up",
      env: "dev",
      result: "succeeded",
      secret: "not to be shown",
      outputs: { "@everyone": "<img src=x> `code`\nnext line" },
    });
    expect(text).not.toContain("not to be shown");
    expect(text).toContain("| `@everyone` | `<img src=x> 'code' next line` |");
  });

  it("masks whatever looks like a secret", async () => {
    // Put together here, so that no scanner takes this file for one that holds a key.
    const key = ["ghp", "_", "a1B2c3D4e5".repeat(4).slice(0, 36)].join("");
    const text = await masked(`before ${key} between ${key} after`);
    expect(text).toBe("before *** between *** after");
    const at = file(
      "leak.json",
      JSON.stringify({ verb: "up", env: "dev", result: "succeeded", outputs: { key } }),
    );
    expect(await markdownOf([at])).not.toContain(key);
  });

  it("says so when a verb ended before it could", async () => {
    expect(await markdownOf([file("empty.json", "")])).toContain("it ended without a result");
    await expect(markdownOf([path.join(folder, "gone")])).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("kiln github summary", () => {
  it("goes to the job's summary, and to stdout where there is no job", async () => {
    const said: string[] = [];
    const out = {
      json: false,
      live: false,
      say: (line?: string) => said.push(line ?? ""),
      warn: () => {},
      document: () => {},
    } as Output;
    const at = file("r.json", JSON.stringify({ verb: "up", env: "dev", result: "succeeded" }));
    const context = (env: NodeJS.ProcessEnv) =>
      ({ env, out, stdout: process.stdout, signal: new AbortController().signal }) as const;
    await summary(context({}), { files: [at] });
    expect(said).toEqual(["### ✅ `up dev`: `succeeded`"]);
    const target = file("summary.md", "before\n");
    await summary(context({ GITHUB_STEP_SUMMARY: target }), { files: [at] });
    expect(readFileSync(target, "utf8")).toBe("before\n### ✅ `up dev`: `succeeded`\n");
    expect(said).toHaveLength(1);
  });
});

describe("a comment that is kept up to date", () => {
  interface Comment {
    id: number;
    body: string;
    user: { type: string };
  }
  let comments: Comment[] = [];
  beforeEach(() => {
    comments = [];
  });

  /** The three routes of GitHub's that a comment takes. */
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const body =
        typeof request.body === "string" ? (JSON.parse(request.body) as { body: string }).body : "";
      let answer: unknown;
      if (request.method === "GET") {
        const page = Number(searchParams.get("page"));
        answer = comments.slice((page - 1) * 100, page * 100);
      } else if (request.method === "POST") {
        expect(pathname).toBe("/repos/kiln/app/issues/7/comments");
        comments.push({ id: comments.length + 1, body, user: { type: "Bot" } });
      } else {
        const id = Number(/^\/repos\/kiln\/app\/issues\/comments\/(\d+)$/.exec(pathname)?.[1]);
        for (const each of comments) if (each.id === id) each.body = body;
      }
      return {
        request,
        status: request.method === "POST" ? 201 : 200,
        headers: createHttpHeaders({ "content-type": "application/json" }),
        bodyAsText: JSON.stringify(answer ?? {}),
      };
    },
  };
  const github = githubClient("token", { httpClient });
  const say = (text: string) =>
    stickyComment(github, { owner: "kiln", name: "app" }, 7, { kind: "preview", text });

  it("is made once, then updated", async () => {
    expect(await say("first")).toBe("created");
    expect(await say("first")).toBe("same");
    expect(await say("second")).toBe("updated");
    expect(comments.map(({ body }) => body)).toEqual(["<!-- kiln:preview -->\nsecond"]);
  });

  it("is not a person's who wrote its mark, and is found behind a hundred others", async () => {
    comments = Array.from({ length: 150 }, (_, index) => ({
      id: index + 1,
      body: index === 120 ? "<!-- kiln:preview -->\nold" : "<!-- kiln:preview -->\nnot a bot's",
      user: { type: index === 120 ? "Bot" : "User" },
    }));
    expect(await say("new")).toBe("updated");
    expect(comments).toHaveLength(150);
    expect(comments[120]?.body).toBe("<!-- kiln:preview -->\nnew");
  });

  it("is cut where GitHub would refuse it", () => {
    expect(commentBody("k", "x".repeat(70_000))).toHaveLength(65_536);
    expect(commentBody("k", "x".repeat(70_000))).toMatch(/cut here: the whole is in the run's summary\.$/);
  });
});
