import type { StoredEntity } from './entity.ts';
import type { Manifest } from './manifest.ts';

type Setting = Extract<StoredEntity, { type: 'setting' }>;
type Tree = Record<string, unknown>;

/** Deeper than this a later value replaces an earlier one. */
const JOIN_LEVELS_MAX = 8;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts a member into an object without touching what a prototype holds. */
function put(tree: Tree, name: string, value: unknown): void {
  Object.defineProperty(tree, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Joins two trees of settings: several entities of one path each bring a part (an org unit, a section of it). */
function join(before: unknown, value: unknown, depth = 0): unknown {
  if (!isTree(before) || !isTree(value) || depth >= JOIN_LEVELS_MAX) return value;
  const joined: Tree = { ...before };
  for (const [name, part] of Object.entries(value)) {
    put(joined, name, join(Object.hasOwn(before, name) ? before[name] : undefined, part, depth + 1));
  }
  return joined;
}

function holderOf(root: Tree, path: readonly string[]): Tree {
  let tree = root;
  for (const part of path) {
    const next = Object.hasOwn(tree, part) ? tree[part] : undefined;
    if (isTree(next)) {
      tree = next;
    } else {
      const made: Tree = {};
      put(tree, part, made);
      tree = made;
    }
  }
  return tree;
}

/** Makes the settings that posture checks judge of the `setting` entities of one app. */
export function assembleSettings(
  settings: readonly Setting[],
  emptyLists: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const root: Tree = {};
  for (const path of emptyLists) {
    const parts = path.split('.');
    put(holderOf(root, parts.slice(0, -1)), parts.at(-1) ?? '', []);
  }
  for (const { path, value, list } of settings) {
    const parts = path.split('.');
    const last = parts.at(-1) ?? '';
    const holder = holderOf(root, parts.slice(0, -1));
    const before = Object.hasOwn(holder, last) ? holder[last] : undefined;
    if (list) put(holder, last, [...(Array.isArray(before) ? before : []), value]);
    else put(holder, last, join(before, value));
  }
  return root;
}

/** Whether a stream puts members into lists: then a read that gave none means an empty list. */
const makesLists = (map: string): boolean => /"list":\s*true/.test(map);

/**
 * What of the settings could be read: `unread` are the paths of streams that were not, `emptyLists` those of lists that
 * were read whole, which exist also when they have no member.
 */
export function coverage(
  manifest: Manifest,
  states: ReadonlyMap<string, string>,
): { readonly unread: readonly string[]; readonly emptyLists: readonly string[] } {
  const unread: string[] = [];
  const emptyLists: string[] = [];
  for (const [name, { covers, map }] of Object.entries(manifest.streams)) {
    const state = states.get(name) ?? 'never';
    if (state !== 'ok' && state !== 'partial') unread.push(...covers);
    else if (state === 'ok' && makesLists(map)) emptyLists.push(...covers);
  }
  return { unread, emptyLists };
}
