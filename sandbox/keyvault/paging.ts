import type { FastifyRequest } from "fastify";
import { badParameter } from "./secret-body.ts";

const largestPage = 25;

type Query = { maxresults?: string; $skiptoken?: string; "api-version"?: string };

/** One page of a list, and where the next one is. Page size: `maxresults`, 1 to 25. */
export function page<T>(
  request: FastifyRequest,
  items: readonly T[],
  show: (item: T) => object,
): { value: object[]; nextLink: string | null } {
  const query = request.query as Query;
  const size = Number(query.maxresults ?? largestPage);
  if (!Number.isInteger(size) || size < 1 || size > largestPage) {
    throw badParameter(
      `The value of maxresults is invalid: it is a whole number between 1 and ${largestPage}.`,
    );
  }
  const from = query.$skiptoken === undefined ? 0 : offsetOf(query.$skiptoken);
  const value = items.slice(from, from + size).map(show);
  return { value, nextLink: from + size < items.length ? linkTo(request, query, from + size) : null };
}

function linkTo(request: FastifyRequest, query: Query, offset: number): string {
  const next = new URLSearchParams({
    "api-version": query["api-version"] ?? "",
    ...(query.maxresults === undefined ? {} : { maxresults: query.maxresults }),
    $skiptoken: Buffer.from(JSON.stringify({ offset })).toString("base64url"),
  });
  const path = request.originalUrl.split("?")[0];
  return `https://${request.hostname}${path}?${next.toString().replace("%24skiptoken", "$skiptoken")}`;
}

function offsetOf(token: string): number {
  try {
    const { offset } = JSON.parse(Buffer.from(token, "base64url").toString()) as { offset?: unknown };
    if (Number.isInteger(offset) && Number(offset) >= 0) return Number(offset);
  } catch {
    // Falls through to the refusal below: a token that is not one of ours.
  }
  throw badParameter("The $skiptoken is not valid.");
}
