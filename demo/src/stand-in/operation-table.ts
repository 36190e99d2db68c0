import { readFile } from 'node:fs/promises';
import { Ajv2020 as Ajv, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { z } from 'zod';
import type { EmulatedApp } from '../estate.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const parameterSchema = z.looseObject({
  $ref: z.string().optional(),
  name: z.string().optional(),
  in: z.string().optional(),
});
const bodySchema = z.looseObject({
  $ref: z.string().optional(),
  content: z.record(z.string(), z.unknown()).optional(),
});
const operationSchema = z.looseObject({
  operationId: z.string(),
  parameters: z.array(parameterSchema).optional(),
  requestBody: bodySchema.optional(),
});
const documentSchema = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.looseObject({ parameters: z.array(parameterSchema).optional() })),
  components: z.looseObject({ parameters: z.record(z.string(), parameterSchema).optional() }).optional(),
});

export interface Operation {
  readonly id: string;
  readonly queryNames: ReadonlySet<string>;
  /** What is wrong with a body, as JSON pointers with a message; empty when nothing is. */
  checkBody(contentType: string, body: Buffer): readonly { field: string; message: string }[];
}

export interface OperationTable {
  find(method: string, path: string): Operation | undefined;
}

interface Row {
  readonly pattern: RegExp;
  readonly method: string;
  readonly variables: number;
  readonly operation: Operation;
}

const POINTER_ESCAPES: readonly [RegExp, string][] = [
  [/~/g, '~0'],
  [/\//g, '~1'],
];
const escapePointer = (text: string): string =>
  POINTER_ESCAPES.reduce((out, [from, to]) => out.replace(from, to), text);

/** `a[b][0]=1` as nested objects and lists, as Stripe and other form APIs read it. */
export function parseForm(text: string): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const keys = name.split(/\[|\]\[?/).filter((key, index) => index === 0 || key !== '');
    let at = root;
    for (const [index, key] of keys.entries()) {
      if (index === keys.length - 1) at[key] = value;
      else at = (at[key] ??= {}) as Record<string, unknown>; // only objects are put at inner keys
    }
  }
  return listsFrom(root) as Record<string, unknown>; // the root stays an object: its keys are names
}

function listsFrom(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, listsFrom(inner)] as const);
  const isList = entries.length > 0 && entries.every(([key], index) => key === String(index));
  return isList ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/** OpenAPI 3.0 allows `nullable` beside `oneOf`, as GitHub writes it; ajv refuses it where there is no `type`. */
function dropLoneNullable(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if ('nullable' in value && !('type' in value)) delete value.nullable;
  for (const inner of Object.values(value)) dropLoneNullable(inner);
}

/** Reads a description for tests: which operation a call is, and whether its body fits. Much simpler than the gateway. */
export async function loadOperationTable(app: EmulatedApp): Promise<OperationTable> {
  const text = await readFile(app.openapi, 'utf8');
  // YAML reads JSON as well, but takes seconds for GitHub's twelve megabytes.
  const raw: unknown = text.startsWith('{') ? JSON.parse(text) : parse(text);
  const document = documentSchema.parse(raw);
  dropLoneNullable(document);
  const strict = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const forms = new Ajv({ strict: false, allErrors: true, coerceTypes: true, validateFormats: false });
  for (const ajv of [strict, forms]) {
    addFormats.default(ajv);
    ajv.addSchema(document, 'description');
  }
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (pointer: string, isForm: boolean): ValidateFunction => {
    const key = `${isForm ? 'form' : 'json'} ${pointer}`;
    const found = compiled.get(key) ?? (isForm ? forms : strict).compile({ $ref: `description#${pointer}` });
    compiled.set(key, found);
    return found;
  };
  const nameOf = (parameter: z.infer<typeof parameterSchema>): string => {
    const target = parameter.$ref
      ? document.components?.parameters?.[parameter.$ref.split('/').at(-1) ?? '']
      : parameter;
    return target?.in === 'query' ? (target.name ?? '') : '';
  };
  const rows: Row[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (item[method] === undefined) continue;
      const operation = operationSchema.parse(item[method]);
      const types = Object.keys(operation.requestBody?.content ?? {});
      const checkBody: Operation['checkBody'] = (contentType, body) => {
        const type = types.find((each) => contentType.toLowerCase().startsWith(each));
        if (type === undefined) {
          return types.length === 0 || body.length === 0
            ? []
            : [{ field: '', message: `content type ${contentType} is not described` }];
        }
        const isForm = type === 'application/x-www-form-urlencoded';
        const at = `/paths/${escapePointer(path)}/${method}/requestBody/content/${escapePointer(type)}/schema`;
        const value: unknown = isForm ? parseForm(body.toString('utf8')) : JSON.parse(body.toString('utf8'));
        const validate = validatorOf(encodeURI(at), isForm);
        if (validate(value)) return [];
        return (validate.errors ?? []).map((error) => ({
          field: error.instancePath,
          message: error.message ?? 'is not valid',
        }));
      };
      rows.push({
        pattern: new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`),
        method: method.toUpperCase(),
        variables: path.split('{').length,
        operation: {
          id: operation.operationId,
          queryNames: new Set(
            [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(nameOf).filter(Boolean),
          ),
          checkBody,
        },
      });
    }
  }
  // Concrete paths before templated ones, as OpenAPI says.
  rows.sort((a, b) => a.variables - b.variables);
  return {
    find: (method, path) => rows.find((row) => row.method === method && row.pattern.test(path))?.operation,
  };
}
