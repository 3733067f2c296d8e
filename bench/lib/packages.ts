import { cpSync, existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";

/** The part of a package.json that is read here. */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * Copies a package and all that it needs from one node_modules into another: what installing it alone would give.
 * Optional peers, such as a TypeScript compiler, stay behind.
 * @throws Error when a package that is needed is not installed
 */
export function copyPackage(name: string, from: string, to: string): void {
  for (const folder of neededPackages(name, from)) {
    const place = path.relative(from, folder);
    // What lies in another package's folder comes along with that.
    if (!place.includes(`${path.sep}node_modules${path.sep}`)) {
      cpSync(folder, path.join(to, place), { recursive: true });
    }
  }
}

/** The folders of a package and of all that it needs, in a node_modules as npm lays it out. */
export function neededPackages(name: string, from: string): Set<string> {
  const root = realpathSync(from);
  const found = new Set<string>();
  const visit = (wanted: string, asker: string, optional: boolean): void => {
    const folder = resolvePackage(wanted, asker, root);
    if (folder === undefined) {
      if (optional) return;
      throw new Error(`${asker} needs ${wanted}, which is not installed`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
    for (const each of Object.keys(manifest.dependencies ?? {})) visit(each, folder, false);
    for (const each of Object.keys(manifest.optionalDependencies ?? {})) visit(each, folder, true);
    for (const each of Object.keys(manifest.peerDependencies ?? {})) {
      if (manifest.peerDependenciesMeta?.[each]?.optional !== true) visit(each, folder, false);
    }
  };
  visit(name, root, false);
  return found;
}

/** Where Node finds a package from a folder, up to the given node_modules. */
function resolvePackage(name: string, asker: string, root: string): string | undefined {
  for (let folder = asker; folder.startsWith(root); folder = path.dirname(folder)) {
    const candidate =
      path.basename(folder) === "node_modules"
        ? path.join(folder, name)
        : path.join(folder, "node_modules", name);
    if (existsSync(path.join(candidate, "package.json"))) return candidate;
  }
  return undefined;
}
