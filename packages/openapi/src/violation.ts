import type { ErrorObject } from 'ajv';

export const VIOLATIONS_MAX = 10;
const NAME_LENGTH_MAX = 100;
const ALLOWED_SHOWN_MAX = 10;

/** One way in which a message doesn't fit its description. Never holds the value itself, which may be a secret. */
export interface Violation {
  readonly in: 'path' | 'query' | 'header' | 'body';
  /** JSON Pointer within `in`: `/title`, `/items/0/price`. */
  readonly pointer: string;
  /** Last part of the pointer, for people: `title`. */
  readonly field: string;
  /** JSON Schema keyword, or `mediaType`, `json`, `form`, `unexpected`. */
  readonly keyword: string;
  /** `title must be string` */
  readonly message: string;
}

export function violation(place: Violation['in'], pointer: string, keyword: string, text: string): Violation {
  const field = (pointer.split('/').at(-1) ?? '').replaceAll('~1', '/').replaceAll('~0', '~').slice(0, NAME_LENGTH_MAX);
  const subject = field === '' ? place : /^\d+$/.test(field) ? `item ${field}` : field;
  return { in: place, pointer: pointer.slice(0, NAME_LENGTH_MAX * 4), field, keyword, message: `${subject} ${text}` };
}

/** Ajv's errors as violations: what lies deepest first told, alternatives summed up, a few in all. */
export function violationsOf(place: Violation['in'] | null, errors: readonly ErrorObject[]): Violation[] {
  const failedAlternatives = new Map(
    errors.filter(({ keyword }) => keyword === 'anyOf').map((error) => [error.instancePath, error]),
  );
  // Within a failed anyOf every alternative complains; what lies deeper than its root is what the caller meant to send.
  const deeper = errors.filter(
    ({ keyword, instancePath }) => keyword !== 'anyOf' && keyword !== 'if' && !failedAlternatives.has(instancePath),
  );
  const summed = [...failedAlternatives.values()].map((error) => sumUp(error, errors));
  const seen = new Set<string>();
  return (deeper.length > 0 ? deeper : summed)
    .map((error) => fromAjv(place, error))
    .filter(({ pointer, keyword }) => !seen.has(`${pointer} ${keyword}`) && seen.add(`${pointer} ${keyword}`))
    .slice(0, VIOLATIONS_MAX);
}

/** `must be string or integer` instead of one complaint for each alternative. */
function sumUp(failed: ErrorObject, errors: readonly ErrorObject[]): ErrorObject {
  const here = errors.filter(
    ({ keyword, instancePath }) => instancePath === failed.instancePath && keyword !== 'anyOf',
  );
  const other = here.find(({ keyword }) => keyword !== 'type');
  if (other) return other;
  const types = here.flatMap(({ params }) => (params as Record<string, unknown>)['type']);
  const names = [...new Set(types.filter((type) => typeof type === 'string'))];
  return names.length === 0 ? failed : { ...failed, keyword: 'type', message: `must be ${names.join(' or ')}` };
}

function fromAjv(place: Violation['in'] | null, error: ErrorObject): Violation {
  const params: Record<string, unknown> = error.params;
  const missing = params['missingProperty'];
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty'];
  const below = typeof missing === 'string' ? missing : typeof extra === 'string' ? extra : null;
  const path = error.instancePath + (below === null ? '' : `/${below.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  if (place !== null) return violation(place, path, error.keyword, textOf(error, params));
  // Parameters are checked as one object { path, query, header }.
  const [, where, ...rest] = path.split('/');
  const within = where === 'path' || where === 'query' || where === 'header' ? where : 'query';
  return violation(within, rest.map((token) => `/${token}`).join(''), error.keyword, textOf(error, params));
}

function textOf(error: ErrorObject, params: Record<string, unknown>): string {
  const allowed = params['allowedValues'];
  if (Array.isArray(allowed)) {
    const shown = allowed
      .slice(0, ALLOWED_SHOWN_MAX)
      .map((value) => JSON.stringify(value))
      .join(', ');
    return `must be one of ${shown}${allowed.length > ALLOWED_SHOWN_MAX ? ', …' : ''}`;
  }
  if (error.keyword === 'required') return 'is required';
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') return 'is not allowed';
  return error.message ?? `fails ${error.keyword}`;
}
