import { actionsBot, findAccountById, nodeId, simpleAccount } from "./accounts.ts";
import type { Asset, Release } from "./releases-state.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { fullName, instant, type Repository } from "./state.ts";

export const uploadsHost = "uploads.github.com";

export function releaseBody(repository: Repository, release: Release): object {
  const url = `${apiUrl(repository)}/releases/${release.id}`;
  return {
    id: release.id,
    node_id: nodeId("RE", release.id),
    url,
    assets_url: `${url}/assets`,
    upload_url: `https://${uploadsHost}/repos/${fullName(repository)}/releases/${release.id}/assets{?name,label}`,
    html_url: `${htmlUrl(repository)}/releases/tag/${release.tag}`,
    tarball_url: release.draft ? null : `${apiUrl(repository)}/tarball/${release.tag}`,
    zipball_url: release.draft ? null : `${apiUrl(repository)}/zipball/${release.tag}`,
    author: simpleAccount(findAccountById(release.authorId) ?? actionsBot),
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name,
    body: release.body,
    draft: release.draft,
    prerelease: release.prerelease,
    immutable: false,
    assets: release.assets.map((asset) => assetBody(repository, release, asset)),
    created_at: instant(release.createdAt),
    published_at: release.publishedAt === undefined ? null : instant(release.publishedAt),
  };
}

export function assetBody(repository: Repository, release: Release, asset: Asset): object {
  const name = encodeURIComponent(asset.name);
  return {
    id: asset.id,
    node_id: nodeId("RA", asset.id),
    url: `${apiUrl(repository)}/releases/assets/${asset.id}`,
    browser_download_url: `${htmlUrl(repository)}/releases/download/${release.tag}/${name}`,
    name: asset.name,
    label: asset.label,
    state: "uploaded",
    content_type: asset.contentType,
    size: asset.size,
    digest: asset.digest,
    download_count: 0,
    uploader: simpleAccount(findAccountById(asset.uploaderId) ?? actionsBot),
    created_at: instant(asset.createdAt),
    updated_at: instant(asset.createdAt),
  };
}
