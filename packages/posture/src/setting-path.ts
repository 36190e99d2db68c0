/** Most matches that one wildcard path may give; a tenant with more org units or policies than that is read in part. */
const MATCHES_MAX = 10_000;

export interface PathMatch {
  path: string;
  value: unknown;
}

/** The child of a JSON value under a key or an index; own properties only, so that `constructor` is no setting. */
export function child(value: unknown, key: string): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  if (!Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** Every place that a path names; `*` goes to each element of a list and each value of an object. */
export function findPath(settings: unknown, path: string): PathMatch[] {
  let found: PathMatch[] = [{ path: '', value: settings }];
  for (const segment of path.split('.')) {
    const next: PathMatch[] = [];
    for (const match of found) {
      const keys =
        segment !== '*'
          ? [segment]
          : match.value !== null && typeof match.value === 'object'
            ? Object.keys(match.value)
            : [];
      for (const key of keys) {
        const value = child(match.value, key);
        if (value === undefined || next.length >= MATCHES_MAX) continue;
        next.push({ path: match.path === '' ? key : `${match.path}.${key}`, value });
      }
    }
    found = next;
  }
  return found;
}

/** The value at a path without wildcards; undefined where there is none. */
export function valueAt(settings: unknown, path: string): unknown {
  let value = settings;
  for (const segment of path.split('.')) value = child(value, segment);
  return value;
}
