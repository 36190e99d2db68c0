import { ScimRefused } from './scim-error.ts';
import { type Filter, FilterParser, parseAttributePath, tokenise } from './scim-filter-parser.ts';
import { type Attribute, findAttribute, findSubAttribute, type ResourceType } from './scim-schema.ts';

/** What a PATCH operation works on (RFC 7644, section 3.5.2). */
export type Target =
  | { readonly kind: 'extension'; readonly id: string }
  | {
      readonly kind: 'attribute';
      readonly extension: string | null;
      readonly attribute: Attribute;
      /** Which elements of a multi-valued attribute; null: all. */
      readonly filter: Filter | null;
      readonly sub: Attribute | null;
    };

function invalidPath(text: string): ScimRefused {
  return new ScimRefused(400, `There is no attribute ${text.slice(0, 200)}.`, 'invalidPath');
}

/** Parses a path; null for an attribute that the schema doesn't know. */
export function findTarget(type: ResourceType, text: string): Target | null {
  const extension = type.extensions.find((one) => one.id.toLowerCase() === text.toLowerCase());
  if (extension) return { kind: 'extension', id: extension.id };
  const bracket = text.indexOf('[');
  const head = parseAttributePath(bracket < 0 ? text : text.slice(0, bracket));
  if (!head) throw invalidPath(text);
  const found = findAttribute(type, head.urn, head.name);
  if (!found) return null;
  const { filter, rest } = bracket < 0 ? { filter: null, rest: '' } : parseBrackets(text.slice(bracket));
  const subName = bracket < 0 ? head.sub : rest === '' ? null : rest.slice(1);
  if ((bracket >= 0 && (head.sub !== null || !found.attribute.multiValued)) || (rest !== '' && !rest.startsWith('.'))) {
    throw invalidPath(text);
  }
  const sub = subName === null ? null : (findSubAttribute(found.attribute, subName) ?? undefined);
  if (sub === undefined) return null;
  return { kind: 'attribute', ...found, filter, sub };
}

/** The filter in brackets, and what follows the closing one. */
function parseBrackets(text: string): { filter: Filter; rest: string } {
  const tokens = tokenise(text);
  const parser = new FilterParser(tokens);
  parser.take('[');
  const filter = parser.parseOr(0);
  if (!parser.take(']')) throw invalidPath(text);
  const end = tokens[parser.position - 1]?.end ?? text.length;
  return { filter, rest: text.slice(end).trim() };
}

/** The target of a path that a client gave; throws `invalidPath` for one that isn't there. */
export function requireTarget(type: ResourceType, text: string): Target {
  const target = findTarget(type, text);
  if (!target) throw invalidPath(text);
  return target;
}
