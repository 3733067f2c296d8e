/** A range of IPv4 addresses: its first address and the length of its prefix in bits. */
export interface Cidr {
  readonly first: number;
  readonly bits: number;
}

/** Reads `10.0.0.0/8`; undefined for anything else, an address that is not its range's first among it. Pure. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [bits = 33, ...octets] = [match[5], ...match.slice(1, 5)].map(Number);
  if (bits > 32 || octets.some((octet) => octet > 255)) return undefined;
  const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return first % 2 ** (32 - bits) === 0 ? { first, bits } : undefined;
}

/** Whether one range lies within another and is smaller. Pure. */
export function strictlyWithin(inner: Cidr, outer: Cidr): boolean {
  const size = 2 ** (32 - outer.bits);
  return inner.bits > outer.bits && inner.first >= outer.first && inner.first < outer.first + size;
}

/**
 * Where nothing outside the cluster's own network lives: private, shared and link-local addresses, the last with the
 * metadata service of the machines. Source: RFC 1918, RFC 6598, RFC 3927
 */
export const INSIDE: readonly string[] = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
];

/** Those of the inside ranges that a range holds: what to leave out of it to mean the outside. Pure. */
export function insideOf(cidr: string): string[] {
  const outer = parseCidr(cidr);
  if (outer === undefined) return [];
  return INSIDE.filter((text) => {
    const inner = parseCidr(text);
    return inner !== undefined && strictlyWithin(inner, outer);
  });
}
