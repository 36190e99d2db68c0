import { compileDescription, createOperations, type Violation } from '@cordon/openapi';

/** Checks bodies against one JSON Schema (2020-12), with the engine that checks calls. */
export interface BodySchema {
  check(contentType: string, body: Buffer): readonly Violation[];
}

const NAME = 'Delivery';

/** `#/$defs/x` is said from the schema's root, which becomes a component of a description. */
function moveReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moveReferences);
  if (typeof value !== 'object' || value === null) return value;
  const moved = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    const isReference = key === '$ref' && typeof inner === 'string' && inner.startsWith('#');
    return [key, isReference ? `#/components/schemas/${NAME}${inner.slice(1)}` : moveReferences(inner)];
  });
  return Object.fromEntries(moved) as unknown;
}

/**
 * Compiles a JSON Schema for deliveries. Patterns run in linear time, references leave the schema nowhere.
 *
 * @throws when the text is no JSON object or the schema can't be compiled; the message says why.
 */
export function compileBodySchema(text: string): BodySchema {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new TypeError('A schema is a JSON object.');
  }
  const schema = { $ref: `#/components/schemas/${NAME}` };
  const compiled = compileDescription(
    Buffer.from(
      JSON.stringify({
        openapi: '3.1.0',
        info: { title: NAME, version: '1' },
        components: { schemas: { [NAME]: moveReferences(parsed) } },
        paths: {
          '/delivery': {
            post: {
              operationId: 'delivery',
              requestBody: {
                required: true,
                content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } },
              },
            },
          },
        },
      }),
    ),
  );
  const problem = compiled.problems[0];
  if (problem) throw new TypeError(problem.message);
  const operations = createOperations(compiled.blob, { upstream: 'https://delivery.invalid' });
  const operation = operations.list[0];
  if (!operation) throw new TypeError('The schema describes nothing.');
  // A schema that can't be compiled says so at its first use: better here than at a vendor's first delivery.
  operations.checkBody(operation, 'application/json', Buffer.from('{}'));
  return { check: (contentType, body) => operations.checkBody(operation, contentType, body) };
}
