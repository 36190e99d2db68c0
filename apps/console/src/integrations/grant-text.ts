import type { Operation, Selector } from '../api/wire.ts';

const ACCESS = { read: 'all reads', write: 'all writes', any: 'everything' } as const;
const TAGGED = { read: 'reads', write: 'writes', any: 'everything' } as const;

/** What a selector covers, in words. */
export function describeSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'operations':
      return selector.ids.length === 1 ? (selector.ids[0] ?? '') : `${selector.ids.length} operations`;
    case 'tag':
      return `${TAGGED[selector.access]} tagged ${selector.tag}`;
    case 'access':
      return ACCESS[selector.access];
    case 'path':
      return `${selector.method} ${selector.path}`;
    default:
      return 'unknown';
  }
}

function segments(path: string): string[] {
  return path.split('/').filter(Boolean);
}

/** `*` within a segment stands for any characters: `get-*`. */
function segmentCovers(pattern: string, segment: string): boolean {
  if (pattern === '*' || pattern === segment) return true;
  if (!pattern.includes('*') || segment.startsWith('{')) return false;
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(segment);
}

/** Whether a path template falls under a pattern: `*` is one segment or part of one, `**` the rest. */
function pathCovers(pattern: string, template: string): boolean {
  const [wanted, given] = [segments(pattern), segments(template)];
  for (const [index, part] of wanted.entries()) {
    if (part === '**') return true;
    const actual = given[index];
    if (actual === undefined || !segmentCovers(part, actual)) return false;
  }
  return wanted.length === given.length;
}

/** Whether a selector covers an operation; the gateway's own decision also reads policies, expiry and scopes. */
export function selectorCovers(selector: Selector, operation: Operation): boolean {
  switch (selector.kind) {
    case 'operations':
      return selector.ids.includes(operation.id);
    case 'tag':
      return (
        operation.tags.includes(selector.tag) && (selector.access === 'any' || selector.access === operation.access)
      );
    case 'access':
      return selector.access === 'any' || selector.access === operation.access;
    case 'path':
      return (
        (selector.method === '*' || selector.method === operation.method.toUpperCase()) &&
        pathCovers(selector.path, operation.path)
      );
    default:
      return false;
  }
}
