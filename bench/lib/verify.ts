/** What kiln's document says it did. */
type Changes = Readonly<Record<string, number>>;

/** @throws Error unless the document tells of resources, and of none that changes */
export function requireNoChange(document: Readonly<Record<string, unknown>>): void {
  const { same = 0, ...rest } = changesOf(document);
  if (same < 2 || Object.values(rest).some((count) => count > 0)) fail(document);
}

/** @throws Error unless the document tells of resources that were made, and of nothing else; returns how many */
export function requireCreated(document: Readonly<Record<string, unknown>>): number {
  const { create = 0, ...rest } = changesOf(document);
  if (create < 2 || Object.values(rest).some((count) => count > 0)) fail(document);
  return create;
}

function changesOf(document: Readonly<Record<string, unknown>>): Changes {
  return (document.changes ?? {}) as Changes;
}

function fail(document: object): never {
  throw new Error(`kiln did something else than what is measured: ${JSON.stringify(document)}`);
}
