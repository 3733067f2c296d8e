/** Words that stand for a secret in examples, whole. */
const EXAMPLES =
  /^(?:pass(?:word|wd|phrase)?|pwd|secret|token|key|user(?:name)?|my-?password|change-?me|example|redacted|hidden|none|null|undefined|true|false|string)$/i;

/** What names a value instead of being one: variables of shells, pipelines, templates and formats. */
const NAMES = [
  /\$\{|\$\(|\{\{|<%|@Microsoft\.KeyVault\(/,
  /^\$(?:env:)?[A-Za-z_]\w*$/,
  /^%(?:[A-Za-z_]\w*%|[sdv@])$/,
  /^\{[^{}]*\}$/,
  /^<[^<>]*>?$/,
  /^\[[^[\]]*\]$/,
  /^(?:your|my|the|some|an?)[-_ ]/i,
];

/**
 * Whether what stands in a secret's place is none: masked (`***`), a variable, a word of an example. Pure.
 * @param value as it stands in the text, without its quotes
 */
export function isPlaceholder(value: string): boolean {
  const bare = value.replace(/^\\?["']|\\?["']$/g, "");
  if (bare.length < 3 || bare.includes("***") || bare.includes("…") || bare.includes("...")) return true;
  if (/^(.)\1*$/.test(bare)) return true;
  return EXAMPLES.test(bare) || NAMES.some((name) => name.test(bare));
}

/** Shannon's entropy of a text, in bits for each character. Pure. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Whether a text looks drawn by a machine rather than written: letters and digits mixed, and no few of them. Pure. */
export function looksRandom(text: string): boolean {
  return (
    /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= Math.min(3.5, Math.log2(text.length) * 0.8)
  );
}
