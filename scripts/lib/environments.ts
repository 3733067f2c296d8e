import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { PROJECT, parseEnvironment } from "../../stacks/config.ts";
import { explain } from "./cloud-errors.ts";
import type { OpenCloud, VerbContext } from "./session.ts";
import { engineEnvironment } from "./stack.ts";

const listSchema = z.array(z.looseObject({ name: z.string() }));

/** The environments that the state backend has on record, by name: first the lasting ones, then `pr-2` before `pr-12`. */
export async function knownEnvironments(context: VerbContext, open: OpenCloud): Promise<string[]> {
  const { engine, target, paths } = open;
  const args = ["stack", "ls", "--json", "--project", PROJECT, "--non-interactive"];
  try {
    const { stdout } = await promisify(execFile)(engine.pulumi, args, {
      cwd: paths.project,
      env: { ...process.env, ...engineEnvironment(engine, target, paths, context.env) },
      maxBuffer: Number.POSITIVE_INFINITY,
      signal: context.signal,
    });
    return environmentNames(listSchema.parse(JSON.parse(stdout)).map(({ name }) => name));
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw stderr === undefined ? error : explain([stderr]);
  }
}

/** The environments among the names of stacks, which may have their organization and project before them. Pure. */
export function environmentNames(stacks: readonly string[]): string[] {
  const names = stacks.map((each) => each.split("/").at(-1) ?? each);
  const known = names.filter((name) => parseEnvironment(name) !== undefined);
  const rank = (name: string) => (/^pr-/.test(name) ? Number(name.slice(3)) : -1);
  return [...new Set(known)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
