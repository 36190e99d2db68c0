import { ScimRefused } from './scim-error.ts';
import { type AttributePath, parseAttributePath } from './scim-filter-parser.ts';
import { isRecord, type Resource } from './scim-read.ts';
import {
  type Attribute,
  COMMON_ATTRIBUTES,
  findAttribute,
  findSubAttribute,
  type ResourceType,
} from './scim-schema.ts';

const NAMES_MAX = 100;

/** What a client asked to be given or spared (RFC 7644, section 3.9). */
export interface Projection {
  readonly attributes: readonly AttributePath[] | null;
  readonly excluded: readonly AttributePath[];
  /** Extensions that were named as a whole. */
  readonly extensions: ReadonlySet<string>;
}

function readNames(type: ResourceType, text: string | undefined): { paths: AttributePath[]; extensions: string[] } {
  const paths: AttributePath[] = [];
  const extensions: string[] = [];
  const names = (text ?? '').split(',').map((name) => name.trim());
  if (names.length > NAMES_MAX) throw new ScimRefused(400, `At most ${NAMES_MAX} attributes can be named.`, 'tooMany');
  for (const name of names.filter((one) => one !== '')) {
    const extension = type.extensions.find((one) => one.id.toLowerCase() === name.toLowerCase());
    // Entra adds a filter in brackets; the whole attribute holds what it wants.
    const path = parseAttributePath(name.replace(/\[.*$/, ''));
    if (extension) extensions.push(extension.id);
    else if (path) paths.push(path);
  }
  return { paths, extensions };
}

export function readProjection(
  type: ResourceType,
  query: { readonly attributes?: string | undefined; readonly excludedAttributes?: string | undefined },
): Projection {
  const wanted = readNames(type, query.attributes);
  const spared = readNames(type, query.excludedAttributes);
  const named = query.attributes !== undefined && query.attributes.trim() !== '';
  return {
    attributes: named ? wanted.paths : null,
    excluded: spared.paths,
    extensions: new Set(named ? wanted.extensions : spared.extensions),
  };
}

function isAlways(name: string): boolean {
  return name === 'schemas' || COMMON_ATTRIBUTES.some((one) => one.name === name && one.returned === 'always');
}

/** Leaves in a resource what the client asked for; id and schemas are always there. */
export function project(type: ResourceType, resource: Resource, projection: Projection): Resource {
  if (projection.attributes === null) return exclude(type, resource, projection);
  const kept: Resource = {};
  for (const [name, value] of Object.entries(resource)) if (isAlways(name)) kept[name] = value;
  for (const id of projection.extensions) if (id in resource) kept[id] = resource[id];
  for (const path of projection.attributes) {
    const found = findAttribute(type, path.urn, path.name);
    if (!found) continue;
    const holder = found.extension === null ? resource : resource[found.extension];
    if (!isRecord(holder) || holder[found.attribute.name] === undefined) continue;
    const target = found.extension === null ? kept : ensureRecord(kept, found.extension);
    const { name } = found.attribute;
    target[name] = pick(found.attribute, holder[name], path.sub, target[name]);
  }
  return kept;
}

function ensureRecord(holder: Resource, name: string): Resource {
  const known = holder[name];
  if (isRecord(known)) return known;
  const made: Resource = {};
  holder[name] = made;
  return made;
}

/** One sub-attribute of a value, beside those that were picked before. */
function pick(attribute: Attribute, value: unknown, subName: string | null, before: unknown): unknown {
  const sub = subName === null ? undefined : findSubAttribute(attribute, subName);
  if (!sub) return value;
  const one = (item: unknown, known: unknown): unknown =>
    isRecord(item) && sub.name in item
      ? { ...(isRecord(known) ? known : {}), [sub.name]: item[sub.name] }
      : (known ?? {});
  if (!Array.isArray(value)) return one(value, before);
  const known: readonly unknown[] = Array.isArray(before) ? before : [];
  return value.map((item: unknown, index) => one(item, known[index]));
}

function exclude(type: ResourceType, resource: Resource, { excluded, extensions }: Projection): Resource {
  const kept: Resource = Object.fromEntries(Object.entries(resource).filter(([name]) => !extensions.has(name)));
  for (const path of excluded) {
    const found = findAttribute(type, path.urn, path.name);
    if (!found || isAlways(found.attribute.name)) continue;
    const { name } = found.attribute;
    const sub = path.sub === null ? undefined : findSubAttribute(found.attribute, path.sub);
    const spare = (holder: Resource): Resource =>
      sub
        ? { ...holder, ...(name in holder ? { [name]: without(holder[name], sub.name) } : {}) }
        : (without(holder, name) as Resource); // a record in, a record out
    if (found.extension === null) {
      const spared = spare(kept);
      if (!(name in spared)) Reflect.deleteProperty(kept, name);
      Object.assign(kept, spared);
    } else if (isRecord(kept[found.extension])) {
      kept[found.extension] = spare(kept[found.extension] as Resource); // just checked
    }
  }
  return kept;
}

function without(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => without(item, name));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}
