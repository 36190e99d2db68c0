export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
}

export interface PutOptions {
  /** Until then nobody may change or delete it, milliseconds; where the store can hold objects. */
  readonly retainUntil?: number | undefined;
}

/**
 * Where packs lie. Names are lower-case words, digits, dashes and dots in one or two segments. An object is written
 * whole or not at all, and never twice under one name.
 */
export interface ObjectStore {
  /** Shown to people; no secrets. */
  readonly place: string;
  /** Whether it can hold objects against deletion (S3 object lock). */
  readonly holdsObjects: boolean;
  put(name: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /** Bytes from `start` (inclusive) to `end` (exclusive). Throws `ObjectMissing`. */
  get(name: string, range?: { readonly start: number; readonly end: number }): Promise<Buffer>;
  /** In no particular order. */
  list(prefix: string): AsyncGenerator<StoredObject>;
  /** `held`: the store keeps it, because its time has not come. Removing what isn't there is no error. */
  remove(name: string): Promise<'removed' | 'held'>;
}

export async function listAll(store: ObjectStore, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const one of store.list(prefix)) found.push(one);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
