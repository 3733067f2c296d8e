/** Answers that are kept at most; then all are forgotten, which costs less than to keep account of their age. */
const MOST = 20_000;
/** Names are short; what is longer is not worth its place. */
const LONGEST = 256;

/** A function of a name that remembers its answers: a thousand resources have the same few hundred names in them. */
export function remembered<T>(judge: (name: string) => T): (name: string) => T {
  const answers = new Map<string, T>();
  return (name) => {
    if (name.length > LONGEST) return judge(name);
    const known = answers.get(name);
    if (known !== undefined) return known;
    if (answers.size >= MOST) answers.clear();
    const answer = judge(name);
    answers.set(name, answer);
    return answer;
  };
}
