import type { GrantSelector } from './access-entry.ts';
import { SelectorInvalid } from './errors.ts';

/** What authorization needs to know about an operation; `@cordon/openapi` operations fit. */
export interface OperationFacts {
  readonly id: string;
  readonly method: string;
  /** Path template (`/repos/{owner}/{repo}`); null for a call that no description knows. */
  readonly path: string | null;
  readonly tags: readonly string[];
  readonly access: 'read' | 'write';
  readonly deprecated: boolean;
}

const READ_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const UNKNOWN_PREFIX = 'unknown:';

/** The stand-in for a call that no description knows, where the app allows those: `unknown:GET`. */
export function unknownOperation(method: string): OperationFacts {
  const access = READ_METHODS.has(method) ? 'read' : 'write';
  return { id: `${UNKNOWN_PREFIX}${method}`, method, path: null, tags: [], access, deprecated: false };
}

/** The stand-in that an id names, or null when the id isn't one of a stand-in. */
export function parseUnknownOperation(operationId: string): OperationFacts | null {
  return operationId.startsWith(UNKNOWN_PREFIX) ? unknownOperation(operationId.slice(UNKNOWN_PREFIX.length)) : null;
}

/** Whether a selector covers an operation. */
export function covers(selector: GrantSelector, operation: OperationFacts): boolean {
  switch (selector.kind) {
    case 'operations':
      return selector.ids.includes(operation.id);
    case 'tag':
      return operation.tags.includes(selector.tag) && accessFits(selector.access, operation);
    case 'access':
      return accessFits(selector.access, operation);
    default:
      return (
        operation.path !== null &&
        (selector.method === '*' || selector.method === operation.method) &&
        pathFits(selector.path.split('/'), operation.path.split('/'))
      );
  }
}

function accessFits(access: 'read' | 'write' | 'any', operation: OperationFacts): boolean {
  return access === 'any' || access === operation.access;
}

/** `*` is one segment or part of one, a final `**` is any rest; a template's `{owner}` matches `*` and itself. */
function pathFits(pattern: readonly string[], path: readonly string[]): boolean {
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? path.length < fixed.length : path.length !== fixed.length) return false;
  return fixed.every((segment, index) => segmentFits(segment, path[index]!)); // not longer than the path
}

/** `*` within a segment stands for any characters: `get-*`. */
function segmentFits(pattern: string, segment: string): boolean {
  if (pattern === '*' || pattern === segment) return true;
  if (!pattern.includes('*') || segment.startsWith('{')) return false;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  if (!segment.startsWith(first) || segment.length < first.length + last.length || !segment.endsWith(last))
    return false;
  const end = segment.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = segment.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/**
 * Reads the form people write: an operationId, `tag:issues`, `tag:issues:read`, `read:*`, `write:*`, `*`,
 * `GET /repos/**`.
 *
 * @throws {SelectorInvalid}
 */
export function parseSelector(text: string): GrantSelector {
  const trimmed = text.trim();
  if (trimmed === '*') return { kind: 'access', access: 'any' };
  if (trimmed === 'read:*') return { kind: 'access', access: 'read' };
  if (trimmed === 'write:*') return { kind: 'access', access: 'write' };
  const tag = /^tag:(.+?)(?::(read|write))?$/.exec(trimmed);
  if (tag?.[1]) return { kind: 'tag', tag: tag[1], access: tag[2] === 'read' || tag[2] === 'write' ? tag[2] : 'any' };
  const path = /^([A-Z]+|\*) (\/\S*)$/.exec(trimmed);
  if (path?.[1] && path[2]) {
    const inner = path[2].split('/').slice(0, -1);
    if (inner.includes('**')) throw new SelectorInvalid(`"${text}": ** may only be the last segment`);
    return { kind: 'path', method: path[1], path: path[2] };
  }
  if (trimmed === '' || trimmed.includes('*')) {
    throw new SelectorInvalid(
      `"${text}" is none of: an operationId, tag:NAME, tag:NAME:read, read:*, write:*, *, GET /path/**`,
    );
  }
  return { kind: 'operations', ids: [trimmed] };
}

/** The inverse of parseSelector; a selector of several ids gives several texts. */
export function formatSelector(selector: GrantSelector): string[] {
  switch (selector.kind) {
    case 'operations':
      return selector.ids;
    case 'tag':
      return [selector.access === 'any' ? `tag:${selector.tag}` : `tag:${selector.tag}:${selector.access}`];
    case 'access':
      return [selector.access === 'any' ? '*' : `${selector.access}:*`];
    default:
      return [`${selector.method} ${selector.path}`];
  }
}
