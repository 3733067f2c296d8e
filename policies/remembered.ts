/** Answers that are kept at most; then all are forgotten, which costs less than to keep account of their age. */
const MOST = 20_000;
/** Names, and values that come back, are short; what is longer is not worth its place. */
const LONGEST = 256;

/**
 * A function of a text that remembers its answers: a thousand resources have the same few hundred names and values in them.
 * @param keyOf tells apart what has different answers; the text alone, where nothing else is given
 */
export function remembered<T, Given extends readonly [string, ...unknown[]]>(
  judge: (...given: Given) => T,
  keyOf: (...given: Given) => string = (...[text]) => text,
): (...given: Given) => T {
  const answers = new Map<string, T>();
  return (...given) => {
    const key = keyOf(...given);
    if (key.length > LONGEST) return judge(...given);
    const known = answers.get(key);
    if (known !== undefined || answers.has(key)) return known as T;
    if (answers.size >= MOST) answers.clear();
    const answer = judge(...given);
    answers.set(key, answer);
    return answer;
  };
}
