import { JSON_LIMITS } from './check-json.ts';
import { isObject } from './json-value.ts';
import { SchemaChecker } from './schema-checker.ts';
import { SchemaCompiler } from './schema.ts';
import { type Violation, violation, violationsOf } from './violation.ts';

export interface JsonSchemaCheck {
  /** Empty: the value fits. */
  check(value: unknown): Violation[];
}

/** Deeper values are refused before the schema, which may refer to itself, is asked. */
function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthMax === 0) return true;
  return Object.values(value).some((item) => isDeeper(item, depthMax - 1));
}

/**
 * A check for one JSON Schema document (any draft's common keywords, local references), held to the same rules as the
 * schemas of an API description: linear patterns, unknown keywords ignored, the validator never surprised.
 */
export function createJsonSchemaCheck(schema: unknown): JsonSchemaCheck {
  const root = isObject(schema) ? schema : {};
  const compiler = new SchemaCompiler({ root, dialect: '3.1' });
  const compiled = compiler.compile(root, []);
  const checker = new SchemaChecker((index) => compiler.shared[index] ?? true, 'request', false);
  const validate = checker.check('value', () => compiled);
  return {
    check(value) {
      if (isDeeper(value, JSON_LIMITS.depthMax)) return [violation('body', '', 'depth', 'nests too deeply')];
      return validate(value) ? [] : violationsOf('body', validate.errors ?? []);
    },
  };
}
