import type { FastifyRequest } from "fastify";
import { pathOf } from "../core/service.ts";

const extension =
  /^(?<scope>.*?)\/providers\/(?<kind>microsoft\.authorization\/role(?:assignments|definitions)|microsoft\.resources\/tags)(?<name>\/[^/?]+)?\/?(?<query>\?.*)?$/i;

/**
 * Role assignments, role definitions and tags hang below any scope, which no route pattern can say: they are routed by
 * an inner path without the scope. What a client sends in the form of an inner path matches nothing.
 */
export function scopedRoute(url: string): string {
  if (/^\/+(-|%2d)/i.test(url)) return `/nothing${/\?.*$/.exec(url)?.[0] ?? ""}`;
  const found = extension.exec(url)?.groups;
  if (found === undefined) return url;
  const kind = found.kind?.toLowerCase().split("/")[1];
  return `/-scoped/${kind}${found.name ?? ""}${found.query ?? ""}`;
}

/** The scope of such a request: its own path up to the extension, `""` at the root. */
export function scopeOf(request: FastifyRequest): string {
  return (extension.exec(decoded(pathOf(request)))?.groups?.scope ?? "").replaceAll(/\/{2,}/g, "/");
}

/** A path as the router sees it (an encoded slash stays one); what cannot be decoded stays as it is. */
export function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
