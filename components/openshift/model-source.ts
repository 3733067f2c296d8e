import type { FieldProblem } from "../shared/validation.ts";
import type { ConnectionRef } from "./connection.ts";

/** Where a model lies: in a place that a data connection of the project leads to, or at an address of its own. */
export type ModelSource =
  | {
      readonly connection: ConnectionRef;
      /** Folder or file within the bucket or container; `repository@sha256:…` or `repository:tag` of a registry. */
      readonly path: string;
      readonly uri?: never;
    }
  /** `oci://image`, `pvc://claim/path`, `hf://owner/model[:revision]`, `s3://` or `https://`, all without a credential. */
  | { readonly uri: string; readonly connection?: never; readonly path?: never };

/** What of an InferenceService a source decides. */
export interface ModelStorage {
  /** Fields of `predictor.model`. */
  readonly model: { readonly storage: { key: string; path: string } } | { readonly storageUri: string };
  /** Annotations of the object. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Fields of `predictor`. */
  readonly predictor: { readonly imagePullSecrets?: { name: string }[] };
}

/**
 * How KServe is told of a source. Pure.
 * Source: kserve pkg/credentials (storage spec for S3; the Secret by annotation otherwise), odh-dashboard (OCI connections)
 */
export function modelStorage(source: ModelSource): ModelStorage {
  if (source.uri !== undefined) return { model: { storageUri: source.uri }, annotations: {}, predictor: {} };
  const { connectionName, connection } = source.connection;
  switch (connection.type) {
    case "s3":
      return {
        model: { storage: { key: connectionName, path: source.path } },
        annotations: {},
        predictor: {},
      };
    case "azure-blob":
      return {
        model: {
          storageUri: `https://${connection.account}.blob.core.windows.net/${connection.container}/${source.path}`,
        },
        annotations: { "serving.kserve.io/storageSecretName": connectionName },
        predictor: {},
      };
    case "oci":
      return {
        model: { storageUri: `oci://${connection.registry}/${source.path}` },
        annotations: {},
        predictor: { imagePullSecrets: [{ name: connectionName }] },
      };
    case "uri":
      throw new Error(
        `modelStorage: the connection ${connectionName} is an address, which only the vault knows`,
      );
  }
}

const schemes = ["oci", "pvc", "hf", "s3", "https", "gs"];

/** Everything that is wrong with a source. Pure. */
export function modelSourceProblems(field: string, source: ModelSource): FieldProblem[] {
  if (source.uri !== undefined) return uriProblems(`${field}.uri`, source.uri);
  const { connection, path } = source;
  const problems: FieldProblem[] = [];
  if (connection.connection.type === "uri") {
    problems.push({
      field: `${field}.connection`,
      message: `"${connection.connectionName}" is an address that only the vault knows; give its address as ${field}.uri where it holds no credential`,
    });
  }
  if (path.trim() === "" || path.startsWith("/") || path.split("/").includes("..")) {
    problems.push({
      field: `${field}.path`,
      message: `"${path}" is no path within the connection, such as models/one`,
    });
  }
  return problems;
}

function uriProblems(field: string, uri: string): FieldProblem[] {
  const scheme = /^([a-z0-9]+):\/\/[^\s/]/.exec(uri)?.[1];
  if (scheme === undefined || !schemes.includes(scheme)) {
    return [{ field, message: `"${uri}" is none of ${schemes.map((each) => `${each}://`).join(", ")}` }];
  }
  const authority = uri.slice(scheme.length + 3).split("/")[0] ?? "";
  const hidden = scheme === "https" && (authority.includes("@") || uri.includes("?"));
  return hidden
    ? [
        {
          field,
          message:
            "holds a credential or a signature; make it a data connection, so that it stays in the vault",
        },
      ]
    : [];
}
