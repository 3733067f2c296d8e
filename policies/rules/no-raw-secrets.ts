import { KUBERNETES, type KubeObject, objectsOf, within } from "../kubernetes/objects.ts";
import {
  azureType,
  isObject,
  isPresent,
  objectAt,
  type PolicyInput,
  type Rule,
  UNKNOWN,
  type Value,
  type Violation,
} from "../model.ts";
import { findSecrets } from "../secrets/scan.ts";
import { looksSecret } from "../secrets/shapes.ts";

const ADVICE =
  "A property is written to state: keep the value in Key Vault and pass a reference or the secret's name.";

/**
 * No secret in any property of any resource of any package, in what goes in (before anything is made) and in what came out
 * (once it is). Wrapping a value as a Pulumi secret changes nothing: it is encrypted in the state, and does not belong there.
 */
export const noRawSecrets: Rule = {
  name: "no-raw-secrets",
  description:
    "No property of any resource holds a secret, raw or wrapped as a Pulumi secret; only references do.",
  severity: "critical",
  check: (resource) => secretsOf(resource),
  checkStack: (resources) =>
    resources.flatMap((resource) => secretsOf(resource).map((violation) => ({ ...violation, resource }))),
};

function secretsOf(resource: PolicyInput): Violation[] {
  const found = findSecrets(resource.props, resource.type.startsWith(`${KUBERNETES}:`) ? isName : undefined);
  const violations = found.map(({ path, what }) => ({ property: path, message: `${what}. ${ADVICE}` }));
  if (looksSecret(resource.name))
    violations.push({ property: "(the resource's name)", message: `a secret. ${ADVICE}` });
  const seen = new Set(violations.map(({ property }) => property));
  return [...violations, ...heldBy(resource).filter(({ property }) => !seen.has(property))];
}

/** What is a secret because of the type that holds it, whatever it looks like, known or not yet. */
function heldBy(resource: PolicyInput): Violation[] {
  const violations: Violation[] = [];
  const azure = azureType(resource.type);
  if (azure === "keyvault:Secret" && isPresent(objectAt(resource.props, "properties").value)) {
    violations.push({
      property: "properties.value",
      message: `a secret's value. ${ADVICE} A value reaches the vault by the key-sync step, never through Pulumi.`,
    });
  }
  return [...violations, ...objectsOf(resource).flatMap(heldByObject)];
}

/** Secrets of Kubernetes, and the keys of Routes, in lists and templates too. */
function heldByObject({ kind, group, object, path }: KubeObject): Violation[] {
  if (kind === "Route" && isPresent(objectAt(object, "spec.tls").key))
    return [{ property: within(path, "spec.tls.key"), message: `a certificate's key. ${ADVICE}` }];
  if (kind !== "Secret" || group !== "") return [];
  const held = ["data", "stringData"].flatMap((field): Violation[] => {
    const values = object[field];
    if (values === UNKNOWN)
      return [{ property: within(path, field), message: `values of a secret. ${ADVICE}` }];
    return entriesOf(values).map((key) => ({
      property: within(path, `${field}[${JSON.stringify(looksSecret(key) ? "(withheld)" : key)}]`),
      message: `a secret's value. ${ADVICE}`,
    }));
  });
  // The control plane writes the token into the object, and what is read back is written to the state.
  return object.type === "kubernetes.io/service-account-token"
    ? [...held, { property: within(path, "type"), message: `a token that never ends. ${ADVICE}` }]
    : held;
}

const entriesOf = (values: Value | undefined): string[] =>
  isObject(values) ? Object.keys(values).filter((key) => isPresent(values[key])) : [];

/**
 * Fields that say under which key of a Secret something is kept, and are called like what is kept there: of External Secrets,
 * and of pipeline servers.
 */
const NAMES_A_KEY = [
  /(?:^|\.)data\[[^\]]*\](?:\.match)?\.secretKey$/,
  /\.s3CredentialsSecret\.(?:accessKey|secretKey)$/,
];

const isName = (path: string): boolean => NAMES_A_KEY.some((pattern) => pattern.test(path));
