import { isList, isMap, reveal, type Value, type ValueMap } from "../values.ts";
import { sameQuantity } from "./quantity.ts";

/*
 * What a program's new inputs are compared with: the live object as it was seen last, cut to what the old inputs speak of
 * (github.com/pulumi/pulumi-kubernetes, provider/pkg/provider/provider.go, pruneLiveState). So what the API server dropped of a
 * custom resource, or keeps otherwise, differs each time, as it does with the real provider.
 */

/**
 * The live object in the shape of the inputs.
 *
 * The real provider spells both sides as Kubernetes' own types do before it compares them. Those types are not to be had here:
 * of the API server's own kinds a value that says the same in another spelling (1000m for 1), one that is left out since it is
 * empty, and one that is kept elsewhere (a Secret's stringData) stand as the inputs have them.
 * @param lenient of the API server's own kinds
 */
export function baseline(inputs: ValueMap, live: ValueMap, lenient: boolean): ValueMap {
  const kept: [string, Value][] = [];
  for (const [name, input] of Object.entries(inputs)) {
    const is = own(live, name);
    if (is !== undefined) kept.push([name, inShape(input, is, lenient)]);
    else if (lenient || input === null) kept.push([name, input]);
  }
  return Object.fromEntries(kept);
}

/** What a map itself has at a name, be it called as what every object has. */
export function own(map: ValueMap, name: string): Value | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function inShape(input: Value, live: Value, lenient: boolean): Value {
  const [wanted, is] = [reveal(input), reveal(live)];
  if (wanted === is || wanted === null) return wanted;
  if (isMap(wanted) && isMap(is)) return baseline(wanted, is, lenient);
  if (isList(wanted) && isList(is)) {
    return wanted.slice(0, is.length).map((each, index) => inShape(each, is[index] ?? null, lenient));
  }
  return lenient && (wanted === "" || sameQuantity(wanted, is)) ? wanted : is;
}
