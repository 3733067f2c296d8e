import { createHash } from "node:crypto";
import type { Service } from "../core/service.ts";
import { invalid, notFound, unprocessable } from "./errors.ts";
import { createApi, type GitHub, idOf, requireViewer } from "./http.ts";
import { assetBody } from "./release-body.ts";
import { type Asset, keepContent, putRelease, releasesOf } from "./releases-state.ts";

type Route = {
  Params: { owner: string; repo: string; id: string };
  Querystring: { name?: string; label?: string };
};

/** `uploads.github.com`: the files of releases, each as the whole body of a request. */
export function createUploads(github: GitHub): Service {
  const { cloud, repositories } = github;
  const uploads = createApi(github);
  // Here a body is a file, also one that calls itself JSON.
  uploads.removeAllContentTypeParsers();
  uploads.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  uploads.post<Route>(
    "/repos/:owner/:repo/releases/:id/assets",
    { config: { docs: "releases/assets#upload-a-release-asset", needs: "write" } },
    async (request, reply) => {
      const { repository, query, params } = request;
      const viewer = requireViewer(request);
      const name = query.name ?? "";
      if (name === "") throw unprocessable("Invalid request.\n\nMissing required parameter 'name'.");
      const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (content.length === 0) throw unprocessable("Bad Content-Length: the file is empty.");
      const wanted = idOf(params.id);
      const find = () => releasesOf(github, repository).find((each) => each.id === wanted);
      if (find() === undefined) throw notFound();
      const id = repositories.nextId();
      await keepContent(github, repository, id, content);
      const release = find();
      if (release === undefined) throw notFound();
      if (release.assets.some((each) => each.name === name)) {
        throw invalid({ resource: "ReleaseAsset", field: "name", code: "already_exists" });
      }
      const asset: Asset = {
        id,
        name,
        label: query.label ?? "",
        contentType: request.headers["content-type"] ?? "application/octet-stream",
        size: content.length,
        digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
        uploaderId: viewer.account.id,
        createdAt: cloud.clock.now(),
      };
      const changed = putRelease(github, repository, { ...release, assets: [...release.assets, asset] });
      return reply.code(201).send(assetBody(repository, changed, asset));
    },
  );
  return uploads;
}
