import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { GitHub } from "./http.ts";
import type { Repository } from "./state.ts";

/** A file that belongs to a release. Its bytes lie beside the repository's content. */
export interface Asset {
  readonly id: number;
  readonly name: string;
  readonly label: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** `sha256:…` */
  readonly digest: string;
  readonly uploaderId: number;
  readonly createdAt: number;
}

/** A release as the sandbox keeps it. */
export interface Release {
  readonly id: number;
  readonly tag: string;
  readonly target: string;
  readonly name: string | null;
  readonly body: string | null;
  readonly draft: boolean;
  readonly prerelease: boolean;
  readonly authorId: number;
  readonly assets: readonly Asset[];
  readonly createdAt: number;
  readonly publishedAt?: number;
}

const kind = "github-releases";

/** The newest first. */
export function releasesOf({ repositories }: GitHub, repository: Repository): Release[] {
  return repositories
    .children<Release>(kind, repository.id)
    .map(([, release]) => release)
    .sort((a, b) => b.id - a.id);
}

export function putRelease({ cloud }: GitHub, repository: Repository, release: Release): Release {
  cloud.store.collection<Release>(kind).put(`${repository.id}/${release.id}`, release);
  return release;
}

export function dropRelease(github: GitHub, repository: Repository, release: Release): void {
  github.cloud.store.collection<Release>(kind).delete(`${repository.id}/${release.id}`);
  for (const asset of release.assets) dropContent(github, repository, asset);
}

/** In the repository's own folder, so that they go with it. */
function fileOf({ git }: GitHub, repository: Repository, asset: Pick<Asset, "id">): string {
  return path.join(git.dir(repository.id), "kiln-assets", String(asset.id));
}

export async function keepContent(
  github: GitHub,
  repository: Repository,
  id: number,
  content: Buffer,
): Promise<void> {
  await github.git.ensure(repository.id, repository.defaultBranch);
  const file = fileOf(github, repository, { id });
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, content, { mode: 0o600 });
}

export function contentOf(github: GitHub, repository: Repository, asset: Asset): Buffer {
  return readFileSync(fileOf(github, repository, asset));
}

export function dropContent(github: GitHub, repository: Repository, asset: Asset): void {
  rmSync(fileOf(github, repository, asset), { force: true });
}
