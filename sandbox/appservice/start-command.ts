import { chmod, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

/** How an app is started in its code folder. */
export interface StartCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** The code cannot be started; the message says why and what to change. */
export class NotStartableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotStartableError";
  }
}

const hostSchema = z.looseObject({
  customHandler: z
    .looseObject({
      description: z.looseObject({
        defaultExecutablePath: z.string().min(1),
        defaultWorkerPath: z.string().nullish(),
        workingDirectory: z.string().nullish(),
        arguments: z.array(z.string()).nullish(),
      }),
      enableForwardingHttpRequest: z.boolean().nullish(),
    })
    .nullish(),
});
const packageSchema = z.looseObject({
  main: z.string().nullish(),
  scripts: z.looseObject({ start: z.string().nullish() }).nullish(),
});

/**
 * Finds out how the code in `folder` is started: a Function App by the custom handler of its `host.json`, a web app by
 * its `appCommandLine`, the start script or `main` of its `package.json`, or `server.js`/`index.js`.
 * `runtime` is the Node that stands for `node`.
 * @throws NotStartableError
 */
export async function findStartCommand(
  folder: string,
  appCommandLine: string,
  runtime: string,
): Promise<StartCommand> {
  const host = await readJson(path.join(folder, "host.json"), hostSchema);
  if (host !== undefined) return customHandler(folder, host.customHandler, runtime);
  if (appCommandLine !== "") return shell(folder, appCommandLine);
  const manifest = await readJson(path.join(folder, "package.json"), packageSchema);
  const start = manifest?.scripts?.start;
  if (start) return shell(folder, start);
  for (const file of [manifest?.main, "server.js", "index.js"]) {
    if (file && (await isFile(path.join(folder, file)))) return { file: runtime, args: [file], cwd: folder };
  }
  throw new NotStartableError(
    "The code has no host.json with a custom handler, no start script or main in package.json, no server.js and no index.js, and the site has no appCommandLine.",
  );
}

async function customHandler(
  folder: string,
  handler: z.infer<typeof hostSchema>["customHandler"],
  runtime: string,
): Promise<StartCommand> {
  if (handler === undefined || handler === null) {
    throw new NotStartableError(
      "host.json has no customHandler: the sandbox runs function apps by custom handler only.",
    );
  }
  if (handler.enableForwardingHttpRequest !== true) {
    throw new NotStartableError(
      "host.json must set customHandler.enableForwardingHttpRequest to true: the sandbox forwards HTTP requests as they are.",
    );
  }
  const { defaultExecutablePath, defaultWorkerPath, workingDirectory } = handler.description;
  const cwd = path.resolve(folder, workingDirectory ?? "");
  const args = [...(defaultWorkerPath ? [defaultWorkerPath] : []), ...(handler.description.arguments ?? [])];
  if (defaultExecutablePath === "node") return { file: runtime, args, cwd };
  const packaged = path.resolve(cwd, defaultExecutablePath);
  if (!(await isFile(packaged))) return { file: defaultExecutablePath, args, cwd };
  // A ZIP's permissions are not unpacked.
  await chmod(packaged, 0o700);
  return { file: packaged, args, cwd };
}

function shell(folder: string, command: string): StartCommand {
  return { file: "/bin/sh", args: ["-c", command], cwd: folder };
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const name = path.basename(file);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new NotStartableError(`${name} cannot be read (${error.code}).`);
  });
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new NotStartableError(`${name} is not JSON.`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new NotStartableError(`${name} is not valid: ${problems.join("; ")}.`);
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}
