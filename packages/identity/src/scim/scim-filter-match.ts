import { ScimRefused } from './scim-error.ts';
import type { Comparison, Filter, FilterValue } from './scim-filter-parser.ts';
import { type Attribute, findSubAttribute } from './scim-schema.ts';

/** One element of a multi-valued attribute. */
export type Element = Readonly<Record<string, unknown>>;

function fold(value: string, caseExact: boolean): string {
  return caseExact ? value : value.toLowerCase();
}

/** Compares as RFC 7644, table 3 says; texts without case unless the attribute is exact. */
export function compareValues(found: unknown, op: Comparison, wanted: FilterValue, caseExact: boolean): boolean {
  if (op === 'eq' && wanted === null) return found === undefined || found === null;
  if (op === 'ne' && wanted === null) return found !== undefined && found !== null;
  if (typeof found === 'boolean' || typeof found === 'number') {
    if (op === 'eq') return found === wanted;
    if (op === 'ne') return found !== wanted;
    return typeof found === 'number' && typeof wanted === 'number' && isOrdered(found, op, wanted);
  }
  if (typeof found !== 'string' || typeof wanted !== 'string') return op === 'ne';
  const [left, right] = [fold(found, caseExact), fold(wanted, caseExact)];
  switch (op) {
    case 'eq':
      return left === right;
    case 'ne':
      return left !== right;
    case 'co':
      return left.includes(right);
    case 'sw':
      return left.startsWith(right);
    case 'ew':
      return left.endsWith(right);
    default:
      return isOrdered(left, op, right);
  }
}

function isOrdered<Value extends string | number>(left: Value, op: Comparison, right: Value): boolean {
  if (op === 'gt') return left > right;
  if (op === 'ge') return left >= right;
  if (op === 'lt') return left < right;
  return op === 'le' && left <= right;
}

/** Whether one element of a multi-valued attribute fits the filter in its brackets (`emails[type eq "work"]`). */
export function matchElement(attribute: Attribute, element: Element, filter: Filter): boolean {
  switch (filter.op) {
    case 'and':
      return matchElement(attribute, element, filter.left) && matchElement(attribute, element, filter.right);
    case 'or':
      return matchElement(attribute, element, filter.left) || matchElement(attribute, element, filter.right);
    case 'not':
      return !matchElement(attribute, element, filter.filter);
    case 'has':
      throw new ScimRefused(400, 'Brackets can’t be inside brackets.', 'invalidFilter');
    default: {
      const sub = findSubAttribute(attribute, filter.path.name);
      if (!sub || filter.path.sub !== null) {
        throw new ScimRefused(400, `${attribute.name} has no ${filter.path.name}.`, 'invalidFilter');
      }
      const found = element[sub.name];
      if (filter.op === 'pr') return found !== undefined && found !== null && found !== '';
      return compareValues(found, filter.op, filter.value, sub.caseExact);
    }
  }
}
