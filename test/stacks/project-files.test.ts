import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ConfigError, fromEngine, loadConfig, parseConfig, requireEnvironment } from "../../stacks/config.ts";
import { withProjectFiles } from "../../stacks/project-files.ts";
import { project } from "./serving-samples.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A project folder whose `dev` has serving with these projects, and more files. */
function folderWith(projects: readonly unknown[], files: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "kiln-projects-"));
  folders.push(folder);
  const shared = { repo: "kiln", owner: "platform", costCenter: "4711", location: "eastus" };
  const all = {
    "Pulumi.yaml": { name: "kiln", config: shared },
    "Pulumi.dev.yaml": { config: { "kiln:serving": { enabled: true, projects } } },
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : stringify(content));
  }
  return folder;
}

function problemsIn(folder: string): readonly { file: string; key: string; message: string }[] {
  try {
    loadConfig(folder, "dev", {});
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("projects in files of their own", () => {
  it("are as if they stood in the configuration, in their place", () => {
    const whole = folderWith([project("fraud"), project("churn")]);
    const apart = folderWith([{ file: "serving/fraud.yaml" }, project("churn")], {
      "serving/fraud.yaml": project("fraud"),
    });
    expect(loadConfig(apart, "dev", {})).toEqual(loadConfig(whole, "dev", {}));
  });

  it("are the same to the program, whose values come from the engine", () => {
    const folder = folderWith([{ file: "fraud.yaml" }], { "fraud.yaml": project("fraud") });
    const environment = requireEnvironment("dev");
    const serving = JSON.stringify({ enabled: true, projects: [{ file: "fraud.yaml" }] });
    const texts = {
      "kiln:repo": "kiln",
      "kiln:owner": "platform",
      "kiln:costCenter": "4711",
      "kiln:location": "eastus",
      "kiln:serving": serving,
    };
    const raw = withProjectFiles(fromEngine(environment, texts), folder);
    expect(parseConfig(environment, raw, {})).toEqual(loadConfig(folder, "dev", {}));
  });

  it("have problems that name their file", () => {
    const folder = folderWith([project("churn"), { file: "fraud.yaml" }], {
      "fraud.yaml": { ...project("fraud"), quotas: {}, queue: 1 },
    });
    const [first] = problemsIn(folder);
    expect(first).toMatchObject({ file: "fraud.yaml", key: "kiln:serving.projects[1].quotas" });
    const twice = folderWith([project("fraud"), { file: "fraud.yaml" }], { "fraud.yaml": project("fraud") });
    expect(problemsIn(twice).map(({ file }) => file)).toEqual(["fraud.yaml"]);
  });

  it.each(["/etc/fraud.yaml", "../fraud.yaml", "a/../../fraud.yaml", "fraud.json", 7])(
    "are refused from %j",
    (file: string | number) => {
      const [first] = problemsIn(folderWith([{ file }]));
      expect(first).toMatchObject({ file: "Pulumi.dev.yaml", key: "kiln:serving.projects[0].file" });
      expect(first?.message).toContain("below the folder of Pulumi.yaml");
    },
  );

  it("say what is wrong with a file as a whole", () => {
    const messages = (content: Readonly<Record<string, unknown>>) =>
      problemsIn(folderWith([{ file: "fraud.yaml" }], content)).map(
        ({ file, message }) => `${file} ${message}`,
      );
    expect(messages({})[0]).toBe("fraud.yaml does not exist");
    expect(messages({ "fraud.yaml": "a: [" })[0]).toMatch(/^fraud.yaml is not valid YAML: /);
    expect(messages({ "fraud.yaml": "- a" })[0]).toBe("fraud.yaml is not a map of keys and values");
    const aliases = `a: &a 1\nb: [${Array.from({ length: 300 }, () => "*a").join(", ")}]\nc: *nothing`;
    expect(messages({ "fraud.yaml": aliases })[0]).toMatch(/^fraud.yaml is not valid YAML: /);
  });

  it("have no key beside the file's", () => {
    const folder = folderWith([{ file: "fraud.yaml", name: "fraud" }], { "fraud.yaml": project("fraud") });
    expect(problemsIn(folder)[0]?.message).toContain("no key beside it");
  });
});
