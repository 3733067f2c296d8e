import { createHash } from "node:crypto";
import type { Secret, Strings } from "../runtime/objects.ts";
import { ownerReferenceOf } from "../runtime/objects.ts";
import { type ExternalSecret, marks, SecretProblem } from "./types.ts";

/** Values by key, as they are; only ever in memory and in the Secret. */
export type Values = Readonly<Record<string, string>>;

const functions: Readonly<Record<string, (value: string) => string>> = {
  toString: (value: string) => value,
  trim: (value) => value.trim(),
  quote: (value) => JSON.stringify(value),
  b64enc: (value) => Buffer.from(value).toString("base64"),
  b64dec: (value) => Buffer.from(value, "base64").toString("utf8"),
};

/**
 * Fills a template. Of Go's language it knows `{{ .key }}`, `{{ index . "key" }}` and, behind a pipe, toString, trim, quote,
 * b64enc and b64dec. Pure.
 * @throws SecretProblem what in it the sandbox does not know, or which key is missing
 */
export function filledText(text: string, values: Values): string {
  return text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/gs, (_all, expression: string) => {
    const [source = "", ...pipes] = expression.split("|").map((each) => each.trim());
    const key =
      /^\.([A-Za-z0-9_]+)$/.exec(source)?.[1] ?? /^\(?index \. "([^"]+)"\)?$/.exec(source)?.[1] ?? undefined;
    if (key === undefined || pipes.some((pipe) => functions[pipe] === undefined)) {
      throw new SecretProblem(
        `the template has '{{ ${expression} }}'; the sandbox fills '{{ .key }}' and '{{ index . "key" }}', with ${Object.keys(functions).join(", ")} behind a pipe`,
      );
    }
    const value = values[key];
    if (value === undefined) throw new SecretProblem(`the template wants '${key}', which no data gives`);
    return pipes.reduce((filled, pipe) => functions[pipe]?.(filled) ?? filled, value);
  });
}

/**
 * The Secret that an ExternalSecret asks for. Source: external-secrets pkg/controllers/externalsecret
 * (externalsecret_controller_template.go). Pure.
 * @throws SecretProblem
 */
export function targetSecret(external: ExternalSecret, values: Values): Secret {
  const { target = {} } = external.spec;
  const { template } = target;
  if (template?.templateFrom !== undefined && template.templateFrom.length > 0) {
    throw new SecretProblem("target.template.templateFrom is not known to the sandbox");
  }
  const filled = (strings: Strings | undefined): Record<string, string> =>
    Object.fromEntries(Object.entries(strings ?? {}).map(([name, text]) => [name, filledText(text, values)]));
  const own = template?.data;
  const merged = own === undefined || template?.mergePolicy === "Merge" ? { ...values } : {};
  const data = { ...merged, ...filled(own) };
  const encoded = Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
  const metadata = template?.metadata;
  const plain = template === undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: targetName(external),
      namespace: external.metadata.namespace ?? "",
      labels: {
        // Without a template the object's own labels and annotations go over.
        ...(plain ? external.metadata.labels : filled(metadata?.labels)),
        [marks.managed]: "true",
      },
      annotations: {
        ...(plain ? withoutTools(external.metadata.annotations) : filled(metadata?.annotations)),
        [marks.dataHash]: hashOf(encoded),
      },
      ...(target.creationPolicy === undefined || target.creationPolicy === "Owner"
        ? { ownerReferences: [ownerReferenceOf(external)] }
        : {}),
    },
    type: template?.type ?? "Opaque",
    ...(target.immutable === true ? { immutable: true } : {}),
    data: encoded,
  };
}

export function targetName(external: ExternalSecret): string {
  return external.spec.target?.name ?? external.metadata.name;
}

function withoutTools(annotations: Strings | undefined): Strings {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([name]) => !name.startsWith("kubectl.kubernetes.io/")),
  );
}

/** Tells whether somebody changed the values, without telling them. */
export function hashOf(data: Strings): string {
  const sorted = Object.entries(data).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash("sha224").update(JSON.stringify(sorted)).digest("hex");
}
