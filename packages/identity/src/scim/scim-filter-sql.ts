import { type RawBuilder, sql } from 'kysely';
import { loginKey } from '../people/person.ts';
import { ScimRefused } from './scim-error.ts';
import type { AttributePath, Comparison, Filter, FilterValue } from './scim-filter-parser.ts';
import {
  type Attribute,
  findAttribute,
  findSubAttribute,
  type FoundAttribute,
  type ResourceType,
} from './scim-schema.ts';

/** A fragment of SQL over the row `r` of scim_users or scim_groups; every value in it is a bound parameter. */
type Fragment<Value> = RawBuilder<Value>;

const ORDER: Readonly<Record<string, Fragment<unknown>>> = {
  gt: sql`>`,
  ge: sql`>=`,
  lt: sql`<`,
  le: sql`<=`,
  eq: sql`=`,
  ne: sql`is distinct from`,
};

function invalid(detail: string): ScimRefused {
  return new ScimRefused(400, detail, 'invalidFilter');
}

/** `{name,familyName}` for `#>>`. The names come from the schema, and are bound as one parameter all the same. */
function pathOf(names: readonly string[]): string {
  return `{${names.map((name) => `"${name}"`).join(',')}}`;
}

function namesOf({ attribute, extension }: FoundAttribute): string[] {
  return extension === null ? [attribute.name] : [extension, attribute.name];
}

/** The condition that a filter stands for. */
export function compileFilter(type: ResourceType, filter: Filter): Fragment<boolean> {
  switch (filter.op) {
    case 'and':
      return sql`(${compileFilter(type, filter.left)} and ${compileFilter(type, filter.right)})`;
    case 'or':
      return sql`(${compileFilter(type, filter.left)} or ${compileFilter(type, filter.right)})`;
    case 'not':
      return sql`(not coalesce(${compileFilter(type, filter.filter)}, false))`;
    case 'has':
      return compileHas(type, filter.path, filter.filter);
    case 'pr':
      return compilePresent(type, filter.path);
    default:
      return compileComparison(type, filter.path, filter.op, filter.value);
  }
}

function resolve(type: ResourceType, path: AttributePath): FoundAttribute & { readonly sub: Attribute | null } {
  const found = findAttribute(type, path.urn, path.name);
  const sub = found && path.sub !== null ? findSubAttribute(found.attribute, path.sub) : null;
  if (!found || sub === undefined)
    throw invalid(`There is no attribute ${path.name}${path.sub ? `.${path.sub}` : ''}.`);
  return { ...found, sub };
}

/** What stands for the value of a complex attribute when no sub-attribute is named (RFC 7643, section 2.4). */
function defaultSub(attribute: Attribute): Attribute {
  const sub = findSubAttribute(attribute, 'value');
  if (!sub) throw invalid(`Name a sub-attribute of ${attribute.name}.`);
  return sub;
}

/** The elements of a multi-valued attribute as rows `s(e)`. Groups and members are in a table of their own. */
function elementsOf(found: FoundAttribute): Fragment<unknown> {
  const { attribute, extension } = found;
  if (extension === null && attribute.name === 'groups') {
    return sql`(select jsonb_build_object('value', g.id::text, 'display', g.attributes ->> 'displayName', 'type', 'direct') as e
      from scim_group_members m join scim_groups g on g.id = m.group_id where m.user_id = r.id) as s`;
  }
  if (extension === null && attribute.name === 'members') {
    return sql`(select jsonb_build_object('value', m.user_id::text, 'display', p.name, 'type', 'User') as e
      from scim_group_members m join people p on p.id = m.user_id where m.group_id = r.id) as s`;
  }
  return sql`jsonb_array_elements(coalesce(r.attributes #> ${pathOf(namesOf(found))}::text[], '[]'::jsonb)) as s(e)`;
}

/** A single value as text, or as a time where the column holds one. */
function valueOf(found: FoundAttribute & { readonly sub: Attribute | null }): Fragment<unknown> {
  const { attribute, sub } = found;
  if (attribute.name === 'id') return sql`r.id::text`;
  if (attribute.name === 'meta') {
    if (sub?.name === 'created') return sql`r.created_at`;
    if (sub?.name === 'lastModified') return sql`r.updated_at`;
    throw invalid('Of meta, only created and lastModified can be filtered and sorted by.');
  }
  const names = [...namesOf(found), ...(sub ? [sub.name] : [])];
  return sql`r.attributes #>> ${pathOf(names)}::text[]`;
}

function compileHas(type: ResourceType, path: AttributePath, filter: Filter): Fragment<boolean> {
  const found = resolve(type, path);
  if (!found.attribute.multiValued || found.sub) throw invalid(`${path.name} takes no brackets.`);
  return sql`exists (select 1 from ${elementsOf(found)} where ${compileElement(found.attribute, filter)})`;
}

/** The condition in brackets, over one element `s.e`. */
function compileElement(attribute: Attribute, filter: Filter): Fragment<boolean> {
  switch (filter.op) {
    case 'and':
      return sql`(${compileElement(attribute, filter.left)} and ${compileElement(attribute, filter.right)})`;
    case 'or':
      return sql`(${compileElement(attribute, filter.left)} or ${compileElement(attribute, filter.right)})`;
    case 'not':
      return sql`(not coalesce(${compileElement(attribute, filter.filter)}, false))`;
    case 'has':
      throw invalid('Brackets can’t be inside brackets.');
    default: {
      const sub = findSubAttribute(attribute, filter.path.name);
      if (!sub || filter.path.sub !== null || filter.path.urn !== null) {
        throw invalid(`${attribute.name} has no ${filter.path.name}.`);
      }
      const value = sql`s.e ->> ${sub.name}`;
      return filter.op === 'pr' ? sql`coalesce(${value}, '') <> ''` : compare(value, sub, filter.op, filter.value);
    }
  }
}

function compilePresent(type: ResourceType, path: AttributePath): Fragment<boolean> {
  const found = resolve(type, path);
  if (found.attribute.multiValued) {
    const condition = found.sub ? sql`coalesce(s.e ->> ${found.sub.name}, '') <> ''` : sql`true`;
    return sql`exists (select 1 from ${elementsOf(found)} where ${condition})`;
  }
  if (found.attribute.name === 'id' || found.attribute.name === 'meta') return sql`true`;
  return sql`coalesce(${valueOf(found)}, '') <> ''`;
}

function compileComparison(
  type: ResourceType,
  path: AttributePath,
  op: Comparison,
  value: FilterValue,
): Fragment<boolean> {
  const found = resolve(type, path);
  const { attribute } = found;
  const key = indexedKey(type, found, op, value);
  if (key) return key;
  if (attribute.multiValued) {
    const sub = found.sub ?? defaultSub(attribute);
    const condition = compare(sql`s.e ->> ${sub.name}`, sub, op, value);
    return sql`exists (select 1 from ${elementsOf(found)} where ${condition})`;
  }
  const target = found.sub ?? (attribute.type === 'complex' ? defaultSub(attribute) : attribute);
  return compare(valueOf({ ...found, sub: target === attribute ? null : target }), target, op, value);
}

/** What directories look up all day, by columns that have an index. */
function indexedKey(
  type: ResourceType,
  { attribute, extension }: FoundAttribute,
  op: Comparison,
  value: FilterValue,
): Fragment<boolean> | null {
  if (op !== 'eq' || typeof value !== 'string' || extension !== null) return null;
  if (attribute.name === 'externalId') return sql`r.external_id = ${value}`;
  if (attribute.name === 'userName') return sql`r.user_name_key = ${loginKey(value)}`;
  if (attribute.name === 'displayName' && type.name === 'Group') return sql`r.display_key = ${loginKey(value)}`;
  return null;
}

function compare(
  found: Fragment<unknown>,
  attribute: Attribute,
  op: Comparison,
  value: FilterValue,
): Fragment<boolean> {
  if (value === null) {
    if (op === 'eq') return sql`${found} is null`;
    if (op === 'ne') return sql`${found} is not null`;
    throw invalid('With null, only eq and ne make sense.');
  }
  switch (attribute.type) {
    case 'boolean':
      return compareBoolean(found, attribute, op, value);
    case 'integer':
    case 'decimal': {
      if (typeof value !== 'number' || !ORDER[op]) throw invalid(`${attribute.name} is compared with a number.`);
      return sql`(${found})::numeric ${ORDER[op]} ${value}`;
    }
    case 'dateTime': {
      const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(at) || !ORDER[op]) throw invalid(`${attribute.name} is compared with a time.`);
      return sql`(${found})::timestamptz ${ORDER[op]} ${new Date(at)}`;
    }
    default:
      if (typeof value !== 'string') throw invalid(`${attribute.name} is compared with a text in double quotes.`);
      return compareText(found, op, value, attribute.caseExact);
  }
}

function compareBoolean(
  found: Fragment<unknown>,
  attribute: Attribute,
  op: Comparison,
  value: FilterValue,
): Fragment<boolean> {
  const wanted = typeof value === 'string' ? { true: true, false: false }[value.toLowerCase()] : value;
  if (typeof wanted !== 'boolean' || (op !== 'eq' && op !== 'ne')) {
    throw invalid(`${attribute.name} is compared by eq or ne with true or false.`);
  }
  // Unassigned counts as false, but for `active`, which is true until someone says otherwise.
  return sql`coalesce((${found})::boolean, ${attribute.name === 'active'}) ${ORDER[op]} ${wanted}`;
}

/** With `strpos` and its like instead of LIKE: the value needs no escaping. */
function compareText(found: Fragment<unknown>, op: Comparison, value: string, exact: boolean): Fragment<boolean> {
  const left = exact ? sql`(${found})` : sql`lower(${found})`;
  const right = exact ? value : value.toLowerCase();
  switch (op) {
    case 'co':
      return sql`strpos(${left}, ${right}) > 0`;
    case 'sw':
      return sql`starts_with(${left}, ${right})`;
    case 'ew':
      return sql`right(${left}, ${right.length}) = ${right}`;
    default:
      return sql`${left} collate "C" ${ORDER[op]} ${right}`;
  }
}

/** What to order by: a text that is never null, so that pages can go on after any row. */
export function compileSort(type: ResourceType, text: string, path: AttributePath | null): Fragment<string> {
  if (!path) throw new ScimRefused(400, `Can’t sort by ${text}.`, 'invalidPath');
  const found = resolve(type, path);
  const { attribute } = found;
  if (attribute.multiValued) {
    const sub = found.sub ?? defaultSub(attribute);
    // The primary value, else the first (RFC 7644, section 3.4.2.3).
    return sql`lower(coalesce((select s.e ->> ${sub.name} from ${elementsOf(found)}
      order by (s.e ->> 'primary') = 'true' desc nulls last limit 1), ''))`;
  }
  const target = found.sub ?? attribute;
  if (target.type === 'complex') throw new ScimRefused(400, `Name a sub-attribute of ${text}.`, 'invalidPath');
  const value = sql`coalesce((${valueOf(found)})::text, '')`;
  return target.caseExact || target.type !== 'string' ? sql`${value}` : sql`lower(${value})`;
}
