import { canonicalPath, type RefusedPath } from './canonical-path.ts';
import { parseTemplate, type PathTemplate, type SegmentPart } from './path-template.ts';
import type { Operation } from './table.ts';

/** The operation a call is for. */
export interface Resolved {
  readonly kind: 'operation';
  readonly operation: Operation;
  /** Position of the operation in the table. */
  readonly index: number;
  /** Decoded values by name. */
  readonly pathParams: Readonly<Record<string, string>>;
  /** The canonical path: forward exactly this. */
  readonly path: string;
}

export type Resolution =
  | Resolved
  /** The path is described, the method isn't. */
  | { readonly kind: 'method'; readonly allowMethods: readonly string[]; readonly path: string }
  /** Nothing described has this path. */
  | { readonly kind: 'unknown'; readonly path: string }
  /** A path that could be read in two ways. */
  | { readonly kind: 'refused'; readonly reason: RefusedPath['reason'] };

interface Leaf {
  readonly index: number;
  readonly operation: Operation;
  readonly names: readonly string[];
}

interface Node {
  readonly literals: Map<string, Node>;
  /** Mixed segments such as `{id}.json`, most literal text first. */
  readonly mixed: { readonly parts: readonly SegmentPart[]; readonly key: string; readonly node: Node }[];
  /** A whole segment. */
  any: Node | null;
  /** One or more segments. */
  rest: Node | null;
  readonly methods: Map<string, Leaf>;
}

interface Match {
  readonly node: Node;
  readonly values: readonly string[];
}

/** Steps a single look-up may take; only templates with several multi-segment parameters come near. */
const STEPS_MAX = 10_000;

/**
 * Finds the operation for a method and path: a trie by segments, concrete before mixed (`{id}.json`) before templated
 * before multi-segment, decided from the left, as OpenAPI asks ("concrete definitions before templated ones"). The path
 * is decided first and the method after it, so `DELETE /users/me` is never taken for `DELETE /users/{id}`.
 */
export class Router {
  readonly #root: Node = newNode();

  constructor(operations: readonly Operation[]) {
    for (const [index, operation] of operations.entries()) {
      const template = parseTemplate(operation.path);
      if (template) insert(this.#root, template, { index, operation, names: template.names });
    }
  }

  /** @param rawPath path below the description's base, as received, without query. */
  resolve(method: string, rawPath: string): Resolution {
    const canonical = canonicalPath(rawPath);
    if (!canonical.ok) return { kind: 'refused', reason: canonical.reason };
    const { path, segments } = canonical;
    const match = find(this.#root, method, segments);
    if (canonical.escapedSlash && this.#readsDifferently(method, segments, match))
      return { kind: 'refused', reason: 'ambiguous' };
    if (!match) return { kind: 'unknown', path };
    const leaf = leafFor(match.node, method);
    if (!leaf) return { kind: 'method', allowMethods: [...match.node.methods.keys()].sort(), path };
    const { index, operation } = leaf;
    return { kind: 'operation', operation, index, pathParams: namedValues(leaf.names, match.values), path };
  }

  /** An upstream that unescapes slashes before it routes would reach another operation than the one judged. */
  #readsDifferently(method: string, segments: readonly string[], match: Match | null): boolean {
    const split = find(
      this.#root,
      method,
      segments.flatMap((segment) => segment.split('/')),
    );
    return split !== null && split.node !== match?.node;
  }
}

function newNode(): Node {
  return { literals: new Map(), mixed: [], any: null, rest: null, methods: new Map() };
}

function insert(root: Node, template: PathTemplate, leaf: Leaf): void {
  let node = root;
  for (const parts of template.segments) node = child(node, parts, leaf.operation);
  if (!node.methods.has(leaf.operation.method)) node.methods.set(leaf.operation.method, leaf);
}

function child(node: Node, parts: readonly SegmentPart[], operation: Operation): Node {
  const [first] = parts;
  if (first && parts.length === 1 && 'name' in first) {
    if (operation.multiSegment.includes(first.name)) return (node.rest ??= newNode());
    return (node.any ??= newNode());
  }
  if (first && parts.length === 1 && 'literal' in first) {
    const existing = node.literals.get(first.literal) ?? newNode();
    node.literals.set(first.literal, existing);
    return existing;
  }
  const key = parts.map((part) => ('literal' in part ? `=${part.literal}` : '?')).join('\n');
  const known = node.mixed.find((candidate) => candidate.key === key);
  if (known) return known.node;
  const created = { parts, key, node: newNode() };
  node.mixed.push(created);
  node.mixed.sort((a, b) => literalLength(b.parts) - literalLength(a.parts) || (a.key < b.key ? -1 : 1));
  return created.node;
}

function literalLength(parts: readonly SegmentPart[]): number {
  return parts.reduce((sum, part) => sum + ('literal' in part ? part.literal.length : 0), 0);
}

function leafFor(node: Node, method: string): Leaf | undefined {
  return node.methods.get(method) ?? (method === 'HEAD' ? node.methods.get('GET') : undefined);
}

function find(root: Node, method: string, segments: readonly string[]): Match | null {
  let steps = 0;
  const walk = (node: Node, at: number, values: readonly string[]): Match | null => {
    if (at === segments.length) return node.methods.size > 0 ? { node, values } : null;
    if ((steps += 1) > STEPS_MAX) return null;
    const segment = segments[at] ?? '';
    const literal = node.literals.get(segment);
    const byLiteral = literal && walk(literal, at + 1, values);
    if (byLiteral) return byLiteral;
    if (segment === '') return null; // a parameter is never empty (OpenAPI: path parameters are required)
    for (const { parts, node: next } of node.mixed) {
      const found = matchMixed(parts, segment);
      const match = found && walk(next, at + 1, [...values, ...found]);
      if (match) return match;
    }
    const byAny = node.any && walk(node.any, at + 1, [...values, segment]);
    if (!node.rest || (byAny && leafFor(byAny.node, method))) return byAny;
    // One segment and many are equally templated, so here the method may decide: GitHub has DELETE on `{id}` and GET on
    // a multi-segment `{digest}` in the same place.
    const byRest = walkRest(node.rest, at, values);
    return byRest && (!byAny || leafFor(byRest.node, method)) ? byRest : byAny;
  };
  const walkRest = (rest: Node, at: number, values: readonly string[]): Match | null => {
    // What goes on concretely comes first: `/branches/{branch}/protection` before a branch called `x/protection`. Of
    // such readings the longest, as the servers that have such routes do.
    const trailing = segments.at(-1) === '' ? segments.length - 1 : segments.length;
    const ends = Array.from({ length: trailing - at - 1 }, (_, n) => trailing - 1 - n);
    for (const end of [...ends, trailing]) {
      const match = walk(rest, end, [...values, segments.slice(at, end).join('/')]);
      if (match) return match;
    }
    return null;
  };
  return walk(root, 0, []);
}

/** Values of a mixed segment: each literal at its first occurrence, the last parameter up to the end. */
function matchMixed(parts: readonly SegmentPart[], segment: string): string[] | null {
  const values: string[] = [];
  let at = 0;
  let openName = false;
  for (const [index, part] of parts.entries()) {
    if ('name' in part) {
      openName = true;
      continue;
    }
    const last = index === parts.length - 1;
    const found = last ? segment.length - part.literal.length : segment.indexOf(part.literal, openName ? at + 1 : at);
    const fits =
      found >= at + (openName ? 1 : 0) && segment.startsWith(part.literal, found) && (openName || found === at);
    if (!fits) return null;
    if (openName) values.push(segment.slice(at, found));
    at = found + part.literal.length;
    openName = false;
  }
  if (!openName) return at === segment.length ? values : null;
  if (at === segment.length) return null;
  values.push(segment.slice(at));
  return values;
}

function namedValues(names: readonly string[], values: readonly string[]): Record<string, string> {
  // No prototype: a parameter may be called `constructor`.
  const named = Object.create(null) as Record<string, string>;
  for (const [index, name] of names.entries()) named[name] = values[index] ?? '';
  return named;
}
