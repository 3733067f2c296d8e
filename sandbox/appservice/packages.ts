import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Unzipped, unzip } from "fflate";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";

/** Limits of a package, in bytes and entries. */
const limits = { unpacked: 512 * 1024 * 1024, entries: 20_000 };

/**
 * Unpacks a ZIP into `directory`, whole or not at all.
 * @returns the functions that the package declares, one folder with a `function.json` each
 * @throws CloudError 400 when it is no ZIP, too big, or names a place outside of the directory
 */
export async function unpack(
  zip: Uint8Array,
  directory: string,
): Promise<{ name: string; config: JsonObject }[]> {
  const files = await readZip(zip);
  const draft = `${directory}.partial`;
  await rm(draft, { recursive: true, force: true });
  try {
    for (const [name, content] of files) {
      const file = path.join(draft, ...name.split("/"));
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, content, { mode: 0o600 });
    }
    await mkdir(draft, { recursive: true, mode: 0o700 });
    await rm(directory, { recursive: true, force: true });
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw refusal(`it cannot be unpacked (${message})`);
    throw new CloudError(
      507,
      "SandboxStorageFailed",
      "The sandbox could not unpack the code: the disk is full.",
    );
  }
  return declaredFunctions(files);
}

/** The files of a ZIP by their relative paths, with `/` between folders. */
async function readZip(zip: Uint8Array): Promise<Map<string, Uint8Array>> {
  let unpacked = 0;
  let entries = 0;
  let problem: CloudError | undefined;
  const found = await new Promise<Unzipped>((resolve, reject) => {
    unzip(
      zip,
      {
        filter: ({ name, originalSize }) => {
          unpacked += originalSize;
          entries += 1;
          if (problem !== undefined) return false;
          if (!isInside(name)) problem = refusal(`it names '${name}', a place outside of the site`);
          else if (unpacked > limits.unpacked)
            problem = refusal(`it unpacks to more than ${limits.unpacked} bytes`);
          else if (entries > limits.entries) problem = refusal(`it has more than ${limits.entries} entries`);
          return problem === undefined && !/[/\\]$/.test(name);
        },
      },
      (error, data) => (error === null ? resolve(data) : reject(error)),
    );
  }).catch((error: Error) => {
    throw refusal(`it cannot be read as a ZIP file (${error.message})`);
  });
  if (problem !== undefined) throw problem;
  return new Map(Object.entries(found).map(([name, content]) => [name.replaceAll("\\", "/"), content]));
}

/** Whether the name of a ZIP entry stays below the folder that it is unpacked to, on any system. */
export function isInside(name: string): boolean {
  const parts = name.split(/[/\\]/);
  return (
    name !== "" &&
    !name.includes("\0") &&
    !/^[/\\]/.test(name) &&
    !/^[a-z]:/i.test(name) &&
    !parts.includes("..")
  );
}

function declaredFunctions(files: Map<string, Uint8Array>): { name: string; config: JsonObject }[] {
  return [...files].flatMap(([file, content]) => {
    const name = /^([^/]+)\/function\.json$/.exec(file)?.[1];
    if (name === undefined) return [];
    try {
      return [{ name, config: JSON.parse(Buffer.from(content).toString("utf8")) as JsonObject }];
    } catch {
      throw refusal(`${file} is not JSON`);
    }
  });
}

function refusal(why: string): CloudError {
  return new CloudError(400, "BadRequest", `The package was refused: ${why}.`);
}
