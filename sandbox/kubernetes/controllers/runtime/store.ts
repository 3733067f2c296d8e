import { controllerOf, type KubeObject, keyOf } from "./objects.ts";

/** The objects of one kind as they were last seen, found by name, by namespace and by who controls them. */
export class ObjectStore {
  readonly #byKey = new Map<string, KubeObject>();
  readonly #byNamespace = new Map<string, Map<string, KubeObject>>();
  readonly #byOwner = new Map<string, Map<string, KubeObject>>();

  get(namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#byKey.get(namespace === undefined ? name : `${namespace}/${name}`);
  }

  list(namespace?: string): KubeObject[] {
    if (namespace === undefined) return [...this.#byKey.values()];
    return [...(this.#byNamespace.get(namespace)?.values() ?? [])];
  }

  /** What an object with that uid controls. */
  ownedBy(uid: string): KubeObject[] {
    return [...(this.#byOwner.get(uid)?.values() ?? [])];
  }

  /**
   * Takes what the server has; an older version than the one already here is left aside, since an answer to a write and
   * the watch's word of it arrive in any order. (Resource versions of one kind are numbers that grow.)
   * @returns whether it was news
   */
  put(object: KubeObject): boolean {
    const key = keyOf(object);
    const known = this.#byKey.get(key);
    if (known !== undefined && versionOf(known) >= versionOf(object)) return false;
    if (known !== undefined) this.#forget(key, known);
    this.#byKey.set(key, object);
    const { namespace } = object.metadata;
    if (namespace !== undefined) within(this.#byNamespace, namespace).set(key, object);
    const owner = controllerOf(object);
    if (owner !== undefined) within(this.#byOwner, owner.uid).set(key, object);
    return true;
  }

  /** Forgets that very object; a later one of the same name stays. */
  delete(object: KubeObject): void {
    const key = keyOf(object);
    const known = this.#byKey.get(key);
    if (known === undefined || known.metadata.uid !== object.metadata.uid) return;
    this.#forget(key, known);
  }

  #forget(key: string, known: KubeObject): void {
    this.#byKey.delete(key);
    drop(this.#byNamespace, known.metadata.namespace, key);
    drop(this.#byOwner, controllerOf(known)?.uid, key);
  }
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}

function within<T>(index: Map<string, Map<string, T>>, name: string): Map<string, T> {
  const found = index.get(name) ?? new Map<string, T>();
  index.set(name, found);
  return found;
}

function drop<T>(index: Map<string, Map<string, T>>, name: string | undefined, key: string): void {
  if (name === undefined) return;
  const found = index.get(name);
  found?.delete(key);
  if (found?.size === 0) index.delete(name);
}
