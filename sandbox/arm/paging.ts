import type { FastifyRequest } from "fastify";
import { CloudError } from "../core/errors.ts";
import { pathOf } from "../core/service.ts";

const largestPage = 1000;

/** One page of a list, `$top` long (1000 unless told), and where the next one is, if there is one. */
export function page(
  request: FastifyRequest,
  items: readonly object[],
): { value: object[]; nextLink?: string } {
  const query = request.query as Record<string, string | undefined>;
  const size = wholeNumber(query.$top ?? String(largestPage), "$top", 1);
  const from = wholeNumber(query.$skiptoken ?? "0", "$skiptoken", 0);
  const to = from + Math.min(size, largestPage);
  const value = items.slice(from, to);
  if (to >= items.length) return { value };
  const next = new URLSearchParams({ ...query, $skiptoken: String(to) } as Record<string, string>);
  return { value, nextLink: `https://management.azure.com${pathOf(request)}?${next}` };
}

function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new CloudError(
    400,
    "InvalidQueryParameterValue",
    `The value '${text}' of the query parameter '${name}' is not valid.`,
  );
}
