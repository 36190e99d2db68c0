import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ScimRefused } from './scim-error.ts';
import type { Filter } from './scim-filter-parser.ts';
import { type Element, matchElement } from './scim-filter-match.ts';
import { findTarget, requireTarget, type Target } from './scim-path.ts';
import { checkRequired, isRecord, isUnassigned, readValue, type Resource } from './scim-read.ts';
import { type Attribute, findSubAttribute, type ResourceType } from './scim-schema.ts';

export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const OPERATIONS_MAX = 1_000;

const operationSchema = z.object({
  // Entra writes `Add`, `Replace`, `Remove`.
  op: z
    .string()
    .transform((op) => op.toLowerCase())
    .pipe(z.enum(['add', 'replace', 'remove'])),
  path: z.string().trim().max(4_000).nullish(),
  value: z.unknown().optional(),
});
export type Operation = z.output<typeof operationSchema>;

/** The operations of a PATCH body. Member names have no case, and `schemas` may be absent: Okta and Entra vary. */
export function readOperations(body: unknown): Operation[] {
  const members = isRecord(body) ? Object.entries(body) : [];
  const operations = members.find(([name]) => name.toLowerCase() === 'operations')?.[1];
  const parsed = z.array(operationSchema).min(1).max(OPERATIONS_MAX).safeParse(operations);
  if (!parsed.success) {
    throw new ScimRefused(400, 'Operations must be a list of add, replace and remove operations.', 'invalidSyntax');
  }
  return parsed.data;
}

/**
 * Applies PATCH operations (RFC 7644, section 3.5.2) to a canonical resource and returns a new one. Names come from the
 * schema alone, never from the request, so no operation can reach a prototype.
 */
export function applyPatch(type: ResourceType, resource: Resource, operations: readonly Operation[]): Resource {
  const patched = structuredClone(resource);
  for (const operation of operations) applyOperation(type, patched, operation);
  checkRequired(type, patched);
  return patched;
}

function applyOperation(type: ResourceType, resource: Resource, { op, path, value }: Operation): void {
  if (path) {
    applyToTarget(type, resource, op, requireTarget(type, path), value);
    return;
  }
  if (op === 'remove') throw new ScimRefused(400, 'A remove operation needs a path.', 'noTarget');
  if (!isRecord(value)) throw new ScimRefused(400, 'Without a path the value must be an object.', 'invalidValue');
  for (const [name, item] of Object.entries(value)) {
    // Entra puts whole paths here: `name.givenName`, `urn:…:User:department`. Unknown names are left out.
    const target = isPathLike(name) ? findTarget(type, name) : null;
    if (target && isWritable(target)) applyToTarget(type, resource, op, target, item);
  }
}

function isPathLike(name: string): boolean {
  return name !== 'schemas' && /^[\w$:.-]+(?:\[[^\]]*\][\w.]*)?$/.test(name);
}

function isWritable(target: Target): boolean {
  return (
    target.kind === 'extension' || (target.attribute.mutability !== 'readOnly' && target.sub?.mutability !== 'readOnly')
  );
}

function applyToTarget(
  type: ResourceType,
  resource: Resource,
  op: Operation['op'],
  target: Target,
  value: unknown,
): void {
  if (target.kind === 'extension') {
    applyToExtension(type, resource, op, target.id, value);
    return;
  }
  if (!isWritable(target)) {
    throw new ScimRefused(400, `${target.attribute.name} can’t be changed by a client.`, 'mutability');
  }
  const holder = holderOf(resource, target.extension);
  if (target.filter) applyToElements(holder, op, target.attribute, target.filter, target.sub, value);
  else if (target.sub) applyToSub(holder, op, target.attribute, target.sub, value);
  else if (op === 'remove') removeValue(holder, target.attribute, value);
  else if (op === 'add' && target.attribute.multiValued) addElements(holder, target.attribute, value);
  else if (op === 'add' && target.attribute.type === 'complex') mergeComplex(holder, target.attribute, value);
  else assign(holder, target.attribute.name, readValue(target.attribute, value));
  dropEmptyExtension(resource, target.extension);
}

function applyToExtension(
  type: ResourceType,
  resource: Resource,
  op: Operation['op'],
  id: string,
  value: unknown,
): void {
  if (op !== 'add') assign(resource, id, undefined);
  if (op === 'remove') return;
  if (!isRecord(value)) throw new ScimRefused(400, `${id} must be an object.`, 'invalidValue');
  for (const [name, item] of Object.entries(value)) {
    const target = isPathLike(name) ? findTarget(type, `${id}:${name}`) : null;
    if (target && isWritable(target)) applyToTarget(type, resource, op, target, item);
  }
}

/** The object that has the attribute: the resource, or its extension, which is made when it isn't there. */
function holderOf(resource: Resource, extension: string | null): Resource {
  if (extension === null) return resource;
  const existing = resource[extension];
  if (isRecord(existing)) return existing;
  const made: Resource = {};
  resource[extension] = made;
  return made;
}

function dropEmptyExtension(resource: Resource, extension: string | null): void {
  if (extension === null) return;
  const held = resource[extension];
  if (isRecord(held) && Object.keys(held).length === 0) assign(resource, extension, undefined);
}

/** Sets a value under a name of the schema, or removes it when unassigned. */
function assign(holder: Resource, name: string, value: unknown): void {
  if (isUnassigned(value)) Reflect.deleteProperty(holder, name);
  else holder[name] = value;
}

function elementsOf(holder: Resource, attribute: Attribute): Element[] {
  const value = holder[attribute.name];
  return Array.isArray(value) ? value.filter((item) => isRecord(item)) : [];
}

/** A new primary element takes that from the one before (RFC 7644, section 3.5.2). */
function withOnePrimary(elements: readonly Element[], fresh: readonly Element[]): Element[] {
  const taken = fresh.find((element) => element['primary'] === true);
  if (!taken) return [...elements];
  return elements.map((element) =>
    element !== taken && element['primary'] === true ? { ...element, primary: false } : element,
  );
}

/** Whether two elements stand for the same thing: equal, or one reference (a member) to the same resource. */
function isSameElement(attribute: Attribute, left: Element, right: Element): boolean {
  const isReference = findSubAttribute(attribute, '$ref') !== undefined;
  return isReference ? left['value'] === right['value'] : isDeepStrictEqual(left, right);
}

function addElements(holder: Resource, attribute: Attribute, value: unknown): void {
  const fresh = readValue(attribute, value);
  if (!Array.isArray(fresh)) return;
  const elements = elementsOf(holder, attribute);
  const missing = fresh.filter(
    (item): item is Element => isRecord(item) && !elements.some((known) => isSameElement(attribute, known, item)),
  );
  assign(holder, attribute.name, withOnePrimary([...elements, ...missing], missing));
}

function mergeComplex(holder: Resource, attribute: Attribute, value: unknown): void {
  const known = holder[attribute.name];
  const fresh = readValue(attribute, value);
  if (isRecord(fresh)) assign(holder, attribute.name, { ...(isRecord(known) ? known : {}), ...fresh });
}

/** With a value, Entra removes only those elements; without, the RFC removes them all. */
function removeValue(holder: Resource, attribute: Attribute, value: unknown): void {
  if (isUnassigned(value) || !attribute.multiValued) {
    assign(holder, attribute.name, undefined);
    return;
  }
  const listed = readValue(attribute, value);
  const gone = Array.isArray(listed) ? listed.filter((item) => isRecord(item)) : [];
  const left = elementsOf(holder, attribute).filter(
    (known) => !gone.some((item) => isSameElement(attribute, known, item)),
  );
  assign(holder, attribute.name, left);
}

/** `name.familyName`; on a multi-valued attribute (`emails.value`) every element. */
function applyToSub(holder: Resource, op: Operation['op'], attribute: Attribute, sub: Attribute, value: unknown): void {
  const item = op === 'remove' ? undefined : readValue(sub, value);
  if (attribute.multiValued) {
    const changed = elementsOf(holder, attribute).map((element) => withSub(element, sub, item));
    assign(
      holder,
      attribute.name,
      changed.filter((element) => Object.keys(element).length > 0),
    );
    return;
  }
  const known = holder[attribute.name];
  const changed = withSub(isRecord(known) ? known : {}, sub, item);
  assign(holder, attribute.name, Object.keys(changed).length === 0 ? undefined : changed);
}

function withSub(element: Element, sub: Attribute, item: unknown): Element {
  const changed = { ...element };
  assign(changed, sub.name, item);
  return changed;
}

/** `emails[type eq "work"].value` and `members[value eq "…"]`. */
function applyToElements(
  holder: Resource,
  op: Operation['op'],
  attribute: Attribute,
  filter: Filter,
  sub: Attribute | null,
  value: unknown,
): void {
  const elements = elementsOf(holder, attribute);
  const fits = (element: Element): boolean => matchElement(attribute, element, filter);
  if (!elements.some(fits)) {
    addMissingElement(holder, op, attribute, filter, sub, value);
    return;
  }
  if (op === 'remove' && !sub) {
    assign(
      holder,
      attribute.name,
      elements.filter((element) => !fits(element)),
    );
    return;
  }
  const fresh: Element[] = [];
  const changed = elements.map((element) => {
    if (!fits(element)) return element;
    const next = changeElement(op, attribute, element, sub, value);
    fresh.push(next);
    return next;
  });
  assign(
    holder,
    attribute.name,
    withOnePrimary(changed, fresh).filter((element) => Object.keys(element).length > 0),
  );
}

function changeElement(
  op: Operation['op'],
  attribute: Attribute,
  element: Element,
  sub: Attribute | null,
  value: unknown,
): Element {
  if (sub) return withSub(element, sub, op === 'remove' ? undefined : readValue(sub, value));
  const [item] = [readValue(attribute, value)].flat();
  if (!isRecord(item)) throw new ScimRefused(400, `${attribute.name} takes objects.`, 'invalidValue');
  return op === 'replace' ? item : { ...element, ...item };
}

/**
 * No element fits. To replace or remove nothing is an error (RFC 7644, sections 3.5.2.2 and 3.5.2.3); to add one,
 * Entra relies on it being made with what the filter says.
 */
function addMissingElement(
  holder: Resource,
  op: Operation['op'],
  attribute: Attribute,
  filter: Filter,
  sub: Attribute | null,
  value: unknown,
): void {
  if (op !== 'add') throw new ScimRefused(400, `No element of ${attribute.name} fits the filter.`, 'noTarget');
  const seed = seedOf(attribute, filter);
  const element = changeElement('add', attribute, seed, sub, value);
  assign(holder, attribute.name, withOnePrimary([...elementsOf(holder, attribute), element], [element]));
}

/** What a filter of equalities says about an element: `type eq "work"` gives `{ type: "work" }`. */
function seedOf(attribute: Attribute, filter: Filter): Element {
  if (filter.op === 'and') return { ...seedOf(attribute, filter.left), ...seedOf(attribute, filter.right) };
  const sub = filter.op === 'eq' ? findSubAttribute(attribute, filter.path.name) : undefined;
  if (!sub || filter.op !== 'eq') {
    throw new ScimRefused(400, 'An element can only be added by a filter of eq comparisons.', 'noTarget');
  }
  return withSub({}, sub, readValue(sub, filter.value));
}
