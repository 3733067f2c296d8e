import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Answer } from "../providers/kubernetes/answer.ts";
import type { Connection } from "../providers/kubernetes/connection.ts";
import { taken, until } from "./api.ts";
import { type SetUpObject, setUpObjects } from "./objects.ts";
import { awaitServed } from "./served.ts";

const fieldManager = "kiln-sandbox";
const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Some definitions are megabytes, and who makes one need not have it back. */
const onlyMetadata = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const notes = { namespace: "kube-system", name: "kiln-sandbox" } as const;
const notesPath = `/api/v1/namespaces/${notes.namespace}/configmaps/${notes.name}`;

/** A custom resource's definition as its file has it. */
export interface Definition {
  /** `plural.group` */
  readonly name: string;
  readonly text: string;
  readonly hash: string;
}

/**
 * Sets the cluster up: definitions, rights, nodes, storage. What it did it writes down there, in a ConfigMap, as hashes, so that
 * a start on which nothing changed applies nothing.
 * @param options.definitions files, each with one definition
 * @param options.fresh names of those that were sent just now
 * @throws Refusal which object the API server did not take
 */
export async function setUp(options: {
  readonly api: Connection;
  readonly definitions: readonly string[];
  readonly fresh: ReadonlySet<string>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { api, signal } = options;
  const definitions = readDefinitions(options.definitions);
  const objects = setUpObjects();
  const objectsHash = hashOf(JSON.stringify(objects));
  const [noted, present] = await Promise.all([readNotes(api, signal), definedNames(api, signal)]);

  const due = definitions.filter(
    ({ name, hash }) => !present.has(name) || (noted[name] !== hash && !options.fresh.has(name)),
  );
  await Promise.all(due.map((each) => define(api, each, signal)));
  if (noted.objects !== objectsHash)
    await Promise.all(inOrder(objects).map((chain) => applyAll(api, chain, signal)));
  await awaitServed(api, new Set(definitions.map(({ name }) => name)), signal);

  const data = {
    objects: objectsHash,
    ...Object.fromEntries(definitions.map(({ name, hash }) => [name, hash])),
  };
  if (JSON.stringify(sorted(noted)) !== JSON.stringify(sorted(data))) {
    // The namespace is made by the API server itself, a moment after it is ready.
    const namespace = { method: "GET", path: `/api/v1/namespaces/${notes.namespace}`, signal } as const;
    await until(signal, async () => (await api.ask(namespace)).status === 200);
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: notes, data };
    await apply(api, { path: notesPath, body }, signal);
  }
}

/**
 * Sends the definitions to an empty cluster as soon as the API server takes any, which is a second or two before it is ready.
 * What it refuses as yet is left to {@link setUp}.
 * @returns the names of those that it took
 */
export async function defineEarly(options: {
  readonly api: Connection;
  readonly definitions: readonly string[];
  readonly signal: AbortSignal;
}): Promise<Set<string>> {
  const { api, signal } = options;
  const taken = new Set<string>();
  const one = { method: "GET", path: definitionsPath, query: { limit: "1" }, signal } as const;
  const takes = async () => (await api.ask(one).catch(() => undefined))?.status === 200;
  // That it never takes any is for who waits for the API server to tell.
  await until(signal, takes).catch(() => undefined);
  if (signal.aborted) return taken;
  const early = readDefinitions(options.definitions).map(async (each) => {
    if ((await create(api, each, signal)).status < 400) taken.add(each.name);
  });
  await Promise.allSettled(early);
  return taken;
}

/** The longest first: the others go by its side. */
function readDefinitions(files: readonly string[]): Definition[] {
  return files
    .map((file) => definitionOf(readFileSync(file, "utf8")))
    .sort((a, b) => b.text.length - a.text.length);
}

/** @throws Error when the text is no definition */
export function definitionOf(text: string): Definition {
  // Some files are a megabyte, which takes a second to parse; where the name stands is the same in all.
  const name = /^metadata:\n(?:[ \t]+.*\n)*? {2}name: ["']?([a-z0-9.-]+)["']?[ \t]*$/m.exec(text)?.[1];
  if (name === undefined || !/^kind: CustomResourceDefinition$/m.test(text)) {
    throw new Error("a file among the custom resource definitions holds none");
  }
  return { name, text, hash: hashOf(text) };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function readNotes(api: Connection, signal: AbortSignal): Promise<Record<string, string>> {
  const answer = await api.ask({ method: "GET", path: notesPath, signal });
  if (answer.status === 404) return {};
  return (taken(answer, notesPath) as { data?: Record<string, string> }).data ?? {};
}

/** Names of the definitions that there are: as a table, since whole they are many megabytes. */
async function definedNames(api: Connection, signal: AbortSignal): Promise<Set<string>> {
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const query = { includeObject: "None" };
  const answer = await api.ask({ method: "GET", path: definitionsPath, query, accept, signal });
  // Go writes an empty list as null.
  const { rows } = taken(answer, definitionsPath) as { rows?: { cells: string[] }[] | null };
  return new Set((rows ?? []).map(({ cells }) => cells[0] ?? ""));
}

function create(api: Connection, { text }: Definition, signal: AbortSignal): Promise<Answer> {
  return api.ask({
    method: "POST",
    path: definitionsPath,
    query: { fieldManager },
    text,
    contentType: "application/yaml",
    accept: onlyMetadata,
    signal,
  });
}

async function define(api: Connection, definition: Definition, signal: AbortSignal): Promise<void> {
  const { name, text } = definition;
  const created = await create(api, definition, signal);
  if (created.status !== 409) return void taken(created, name);
  const one = { path: `${definitionsPath}/${name}`, accept: onlyMetadata, signal } as const;
  const { metadata } = taken(await api.ask({ method: "GET", ...one }), name) as {
    metadata: { resourceVersion: string };
  };
  const { parse } = await import("yaml");
  const changed = parse(text) as { metadata: object };
  const body = {
    ...changed,
    metadata: { ...changed.metadata, resourceVersion: metadata.resourceVersion },
  };
  taken(await api.ask({ method: "PUT", query: { fieldManager }, body, ...one }), name);
}

/** Objects that need each other, a node and its status, one after the other; all others side by side. */
function inOrder(objects: readonly SetUpObject[]): SetUpObject[][] {
  const chains = Object.groupBy(objects, ({ path }) => path.replace(/\/status$/, ""));
  return Object.values(chains).map((chain) => chain ?? []);
}

async function applyAll(
  api: Connection,
  objects: readonly SetUpObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const each of objects) await apply(api, each, signal);
}

async function apply(api: Connection, { path, body }: SetUpObject, signal: AbortSignal): Promise<void> {
  const query = { fieldManager, force: "true" };
  const contentType = "application/apply-patch+yaml";
  taken(await api.ask({ method: "PATCH", path, query, body, contentType, signal }), path);
}
