import { findPath } from './setting-path.ts';

const EVIDENCE_ITEMS_MAX = 20;
const VALUE_CHARS_MAX = 80;
/** Settings whose values are secrets in some product or other: their place is evidence enough. */
const SECRET_NAME = /secret|password|token|private|credential|api_?key/iu;

/** A setting that was looked at; short plain values are shown, lists and objects by their size. */
export interface Evidence {
  path: string;
  value?: string;
}

/** The settings a check looked at, at most {@link EVIDENCE_ITEMS_MAX}; a path that is not there is shown without a value. */
export function collectEvidence(settings: unknown, paths: readonly string[], unseen: readonly string[]): Evidence[] {
  const evidence: Evidence[] = [];
  for (const alternatives of paths) {
    const found = alternatives.split(' | ').flatMap((path) => findPath(settings, path));
    if (found.length === 0) evidence.push({ path: alternatives });
    for (const { path, value } of found) evidence.push(describe(path, value));
  }
  for (const path of unseen) if (!evidence.some((item) => item.path === path)) evidence.push({ path });
  return evidence.slice(0, EVIDENCE_ITEMS_MAX);
}

function describe(path: string, value: unknown): Evidence {
  if (Array.isArray(value)) return { path, value: `${value.length} entries` };
  if (value !== null && typeof value === 'object') return { path, value: `${Object.keys(value).length} settings` };
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (typeof value === 'string' && SECRET_NAME.test(name)) return { path, value: 'hidden' };
  const text = JSON.stringify(value) ?? '';
  return { path, value: text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text };
}
