import { type FieldPath } from '../field-path.ts';
import { type Expression } from './ast.ts';
import { valueTest } from './value-test.ts';

/** Fields whose one value is known beforehand, by `fieldKey`. */
export type KnownFields = ReadonlyMap<string, unknown>;

export const fieldKey = (field: FieldPath): string => `${field.source}:${field.keys.join('\0')}`;

/**
 * What can be said of an expression when some fields are known: true, false, or undefined when it depends on the
 * rest of the event. Lets whole rules be dropped once for all events of an operation.
 */
export function evaluatePartly(expression: Expression, known: KnownFields): boolean | undefined {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'not': {
      const inner = evaluatePartly(expression.of, known);
      return inner === undefined ? undefined : !inner;
    }
    case 'and':
      return combine(expression.of, known, false);
    case 'or':
      return combine(expression.of, known, true);
    case 'match': {
      const key = fieldKey(expression.field);
      if (!known.has(key) || expression.matcher.kind === 'field') return undefined;
      return valueTest(expression.matcher)(known.get(key));
    }
    case 'absent':
      return known.has(fieldKey(expression.field)) ? false : undefined;
    case 'exists':
      return known.has(fieldKey(expression.field)) ? true : undefined;
    default:
      return undefined;
  }
}

/** `decisive` decides alone: false for and, true for or. */
function combine(of: readonly Expression[], known: KnownFields, decisive: boolean): boolean | undefined {
  let open = false;
  for (const part of of) {
    const value = evaluatePartly(part, known);
    if (value === decisive) return decisive;
    if (value === undefined) open = true;
  }
  return open ? undefined : !decisive;
}
