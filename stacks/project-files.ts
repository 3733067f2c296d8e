import { isAbsolute, normalize } from "node:path";
import { type ConfigProblem, keyText, type RawConfig } from "./config-problems.ts";
import { readYamlMap } from "./yaml-file.ts";

/**
 * Puts data science projects that lie in files of their own into the configuration: an entry `file: serving/fraud.yaml` of
 * `kiln:serving.projects` stands for the map in that file. The engine hands a stack's whole configuration to the policies in one
 * variable of the environment, of which Linux takes 128 KiB: what is in such a file does not count there.
 * @param projectDir the folder of Pulumi.yaml, which the files' paths start from
 */
export function withProjectFiles(raw: RawConfig, projectDir: string): RawConfig {
  const { serving } = raw.values;
  const projects = (serving as { projects?: unknown } | null | undefined)?.projects;
  if (!Array.isArray(projects)) return raw;
  const problems: ConfigProblem[] = [];
  const files = projects.map((entry, at) =>
    namesFile(entry) ? fileOf(entry, raw, at, problems) : undefined,
  );
  if (!projects.some(namesFile)) return raw;
  const read = projects.map((entry: unknown, at) => {
    if (!namesFile(entry)) return entry;
    const file = files[at];
    return file === undefined ? {} : readYamlMap(projectDir, file, "does not exist", problems);
  });
  return {
    values: { ...raw.values, serving: { ...(serving as object), projects: read } },
    fileOf: (key, path = []) => {
      const [, of, at] = path;
      const file = of === "projects" && typeof at === "number" ? files[at] : undefined;
      return file ?? raw.fileOf(key, path);
    },
    problems: [...raw.problems, ...problems],
  };
}

function namesFile(entry: unknown): entry is Record<string, unknown> {
  return typeof entry === "object" && entry !== null && "file" in entry;
}

/** The file that an entry names, where it may. */
function fileOf(
  { file, ...rest }: Record<string, unknown>,
  raw: RawConfig,
  at: number,
  problems: ConfigProblem[],
): string | undefined {
  const legal =
    typeof file === "string" &&
    /\.ya?ml$/.test(file) &&
    !isAbsolute(file) &&
    !normalize(file).startsWith("..") &&
    Object.keys(rest).length === 0;
  if (legal) return file;
  const path = ["serving", "projects", at, "file"];
  const allowed =
    "a YAML file below the folder of Pulumi.yaml, like serving/fraud.yaml, and no key beside it";
  const message = `is ${JSON.stringify(file)}; allowed: ${allowed}`;
  problems.push({ file: raw.fileOf("serving", path), key: keyText(path), message });
  return undefined;
}
