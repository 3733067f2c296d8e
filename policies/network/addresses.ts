/** Sets of IP addresses as ranges: what a block lets through, less its exceptions, joined with what other blocks let through. */

/** Addresses from one to another, both in it. Those of version 4 and 6 are apart. */
export interface Range {
  readonly version: 4 | 6;
  readonly low: bigint;
  readonly high: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;

/** One address; undefined for what is none. */
export function parseAddress(text: string): { version: 4 | 6; value: bigint } | undefined {
  if (text.includes(":")) {
    const value = parseV6(text);
    return value === undefined ? undefined : { version: 6, value };
  }
  const value = parseV4(text);
  return value === undefined ? undefined : { version: 4, value };
}

function parseV4(text: string): bigint | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) + BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (mapped) {
    const [, head = "", tail = ""] = mapped;
    const value = parseV4(tail);
    if (value === undefined) return undefined;
    plain = `${head}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) + BigInt(`0x${group}`), 0n);
}

/** The range behind `10.0.0.0/8`; undefined for what is no block. Bits beyond the mask are ignored, as Kubernetes does. */
export function parseBlock(text: string): Range | undefined {
  const [, address = "", length = ""] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined || Number(length) > BITS[parsed.version]) return undefined;
  const host = BigInt(BITS[parsed.version] - Number(length));
  const low = (parsed.value >> host) << host;
  return { version: parsed.version, low, high: low + (1n << host) - 1n };
}

/** A range for a block that the code itself names. */
export function block(text: string): Range {
  const range = parseBlock(text);
  if (range === undefined) throw new Error(`${text} is no block of addresses`);
  return range;
}

/** The addresses in some ranges and not in others. */
export function without(ranges: readonly Range[], less: readonly Range[]): Range[] {
  return less.reduce<readonly Range[]>(
    (left, minus) =>
      left.flatMap((range): Range[] => {
        if (range.version !== minus.version || minus.high < range.low || minus.low > range.high)
          return [range];
        return [
          ...(range.low < minus.low ? [{ ...range, high: minus.low - 1n }] : []),
          ...(range.high > minus.high ? [{ ...range, low: minus.high + 1n }] : []),
        ];
      }),
    ranges,
  ) as Range[];
}

/** The addresses that are in both sets. */
export const common = (one: readonly Range[], other: readonly Range[]): Range[] =>
  one.flatMap((a) =>
    other.flatMap((b): Range[] => {
      if (a.version !== b.version) return [];
      const low = a.low > b.low ? a.low : b.low;
      const high = a.high < b.high ? a.high : b.high;
      return low <= high ? [{ version: a.version, low, high }] : [];
    }),
  );

/** How many addresses of a version there are in a union of ranges; each counts once, however many ranges have it. */
export function count(ranges: readonly Range[], version: 4 | 6): bigint {
  const sorted = ranges
    .filter((range) => range.version === version)
    .sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  let total = 0n;
  let next = 0n;
  for (const { low, high } of sorted) {
    const from = low > next ? low : next;
    if (high < from) continue;
    total += high - from + 1n;
    next = high + 1n;
  }
  return total;
}

/** Whether an address is in one of the ranges. */
export const contains = (ranges: readonly Range[], text: string): boolean => {
  const address = parseAddress(text);
  return (
    address !== undefined &&
    ranges.some(
      ({ version, low, high }) =>
        version === address.version && low <= address.value && address.value <= high,
    )
  );
};

/** Ranges that are nowhere on the internet (https://www.iana.org/assignments/iana-ipv4-special-registry). */
const NOT_PUBLIC_V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
].map(block);

/** The internet: what can be routed to from anywhere. */
export const PUBLIC: readonly Range[] = [...without([block("0.0.0.0/0")], NOT_PUBLIC_V4), block("2000::/3")];
