import type { Actor } from '@cordon/kernel';
import { z } from 'zod';
import { IdentityError } from '../errors.ts';
import type { Directory } from './scim-directory.ts';
import { ScimRefused } from './scim-error.ts';
import { readOperations } from './scim-patch.ts';
import { isRecord } from './scim-read.ts';
import { SCIM_PATH } from './scim-render.ts';
import type { Kind } from './scim-store.ts';

export const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';
export const BULK_OPERATIONS_MAX = 200;

const bulkSchema = z.object({
  failOnErrors: z.int().min(0).optional(),
  Operations: z
    .array(
      z.object({
        method: z
          .string()
          .transform((method) => method.toUpperCase())
          .pipe(z.enum(['POST', 'PUT', 'PATCH', 'DELETE'])),
        path: z.string().max(300),
        bulkId: z.string().min(1).max(100).optional(),
        version: z.string().max(100).optional(),
        data: z.unknown().optional(),
      }),
    )
    .min(1),
});
type BulkOperation = z.output<typeof bulkSchema>['Operations'][number];

type Outcome = Record<string, unknown>;

const BULK_ID = /^bulkId:(.+)$/;

/** Every `bulkId:x` in a value, wherever it stands. */
function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') return BULK_ID.exec(value)?.[1] === undefined ? [] : [BULK_ID.exec(value)?.[1] ?? ''];
  if (Array.isArray(value)) return value.flatMap((item) => referencesIn(item));
  return isRecord(value) ? Object.values(value).flatMap((item) => referencesIn(item)) : [];
}

function fillReferences(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return ids.get(BULK_ID.exec(value)?.[1] ?? '') ?? value;
  if (Array.isArray(value)) return value.map((item) => fillReferences(item, ids));
  if (!isRecord(value)) return value;
  // fromEntries defines properties and calls no setter, so a member named __proto__ stays a plain member.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillReferences(item, ids)]));
}

interface Place {
  readonly kind: Kind;
  readonly id: string | null;
}

function placeOf(path: string): Place {
  const match = /^\/?(Users|Groups)(?:\/([^/?#]+))?$/.exec(path);
  if (!match) throw new ScimRefused(400, `There is nothing at ${path}.`, 'invalidPath');
  return { kind: match[1] === 'Users' ? 'User' : 'Group', id: match[2] ?? null };
}

/** Runs a bulk request (RFC 7644, section 3.7): each operation in its own transaction, references resolved between them. */
export async function runBulk(
  directory: Directory,
  actor: Actor,
  publicUrl: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const parsed = bulkSchema.safeParse(body);
  if (!parsed.success) throw new ScimRefused(400, 'The bulk request is not well formed.', 'invalidSyntax');
  const { Operations: operations, failOnErrors } = parsed.data;
  if (operations.length > BULK_OPERATIONS_MAX) {
    throw new ScimRefused(413, `A bulk request has at most ${BULK_OPERATIONS_MAX} operations.`);
  }
  const ids = new Map<string, string>();
  const outcomes: Outcome[] = [];
  let errors = 0;
  for (const operation of inOrder(operations)) {
    const outcome = await runOne(directory, actor, publicUrl, operation, ids);
    outcomes.push(outcome);
    if (Number(outcome['status']) >= 400) errors += 1;
    if (failOnErrors !== undefined && failOnErrors > 0 && errors >= failOnErrors) break;
  }
  return { schemas: [BULK_RESPONSE], Operations: outcomes };
}

/** An operation that refers to another's bulkId runs after it; circles run in the given order and fail by themselves. */
function inOrder(operations: readonly BulkOperation[]): BulkOperation[] {
  const offered = new Set(operations.map((operation) => operation.bulkId).filter((id) => id !== undefined));
  const done = new Set<string>();
  const ordered: BulkOperation[] = [];
  let waiting = [...operations];
  while (waiting.length > 0) {
    const ready = waiting.filter((operation) =>
      referencesIn([operation.data, operation.path.split('/').at(-1)]).every((id) => done.has(id) || !offered.has(id)),
    );
    const next = ready.length > 0 ? ready : waiting;
    for (const operation of next) if (operation.bulkId !== undefined) done.add(operation.bulkId);
    ordered.push(...next);
    waiting = waiting.filter((operation) => !next.includes(operation));
  }
  return ordered;
}

async function runOne(
  directory: Directory,
  actor: Actor,
  publicUrl: string,
  operation: BulkOperation,
  ids: Map<string, string>,
): Promise<Outcome> {
  const { method, bulkId } = operation;
  const named = { method, ...(bulkId === undefined ? {} : { bulkId }) };
  try {
    const data = fillReferences(operation.data, ids);
    const lost = referencesIn([data])[0];
    if (lost !== undefined) throw new ScimRefused(409, `bulkId ${lost} stands for no resource.`, 'invalidValue');
    const place = placeOf(operation.path);
    const target = place.id === null ? null : String(fillReferences(place.id, ids));
    const { status, id, etag } = await apply(directory, actor, { ...operation, data }, place.kind, target);
    if (bulkId !== undefined && id !== null) ids.set(bulkId, id);
    const location = `${publicUrl}${SCIM_PATH}${directory.types[place.kind].endpoint}/${id ?? target}`;
    return { ...named, location, status: String(status), ...(etag === null ? {} : { version: etag }) };
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const refused = error instanceof ScimRefused ? error : new ScimRefused(409, error.message);
    return { ...named, status: String(refused.status), response: refused.toBody() };
  }
}

async function apply(
  directory: Directory,
  actor: Actor,
  operation: BulkOperation,
  kind: Kind,
  id: string | null,
): Promise<{ status: number; id: string | null; etag: string | null }> {
  const { method, data, version, bulkId } = operation;
  if (method === 'POST') {
    if (id !== null) throw new ScimRefused(405, 'POST makes a resource of a type.');
    if (bulkId === undefined) throw new ScimRefused(400, 'A POST in a bulk request needs a bulkId.', 'invalidSyntax');
    const made = await directory.create(actor, kind, data);
    return { status: 201, id: String(made.resource['id']), etag: made.etag };
  }
  if (id === null) throw new ScimRefused(400, `${method} needs the id of a resource.`, 'invalidPath');
  if (method === 'DELETE') {
    await directory.remove(actor, kind, id, version);
    return { status: 204, id, etag: null };
  }
  const changed =
    method === 'PUT'
      ? await directory.replace(actor, kind, id, data, version)
      : await directory.patch(actor, kind, id, readOperations(data), version);
  return { status: 200, id, etag: changed.etag };
}
