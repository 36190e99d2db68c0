import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { queryDigest, readCursor, writeCursor } from './scim-cursor.ts';
import { ScimRefused } from './scim-error.ts';
import { parseAttributePath, parseFilter } from './scim-filter-parser.ts';
import { compileFilter, compileSort } from './scim-filter-sql.ts';
import { project, type Projection, readProjection } from './scim-projection.ts';
import { isRecord, type Resource } from './scim-read.ts';
import { renderResource } from './scim-render.ts';
import type { ResourceType } from './scim-schema.ts';
import { countResources, listMemberships, listResources, type Membership, type StoredResource } from './scim-store.ts';

export const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 200;
const OFFSET_MAX = 1_000_000;

const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,9}$/)
      .transform(Number),
  ])
  .pipe(z.int())
  .optional();
const names = z.union([z.string(), z.array(z.string()).transform((list) => list.join(','))]).optional();

/** Query of a list, in the address or as a search body (RFC 7644, sections 3.4.2 and 3.4.3; RFC 9865). */
const listQuerySchema = z.object({
  filter: z.string().optional(),
  sortBy: z.string().max(300).optional(),
  sortOrder: z.enum(['ascending', 'descending']).optional(),
  startIndex: number,
  count: number,
  cursor: z.string().optional(),
  attributes: names,
  excludedAttributes: names,
});
export type ListQuery = z.output<typeof listQuerySchema>;

export function readListQuery(query: unknown): ListQuery {
  const parsed = listQuerySchema.safeParse(isRecord(query) ? query : {});
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? 'query';
  throw new ScimRefused(400, `${field} is not valid.`, field === 'count' ? 'invalidCount' : 'invalidValue');
}

/** Groups of users, or members of groups, unless nobody asked for them: a large group costs what it holds. */
export async function loadMemberships(
  db: IdentityDb,
  type: ResourceType,
  resources: readonly StoredResource[],
  projection: Projection,
): Promise<Map<string, Membership[]>> {
  const name = type.name === 'User' ? 'groups' : 'members';
  const isNamed = (list: Projection['excluded']): boolean =>
    list.some((path) => path.urn === null && path.sub === null && path.name.toLowerCase() === name);
  const wanted = projection.attributes
    ? projection.attributes.some((path) => path.name.toLowerCase() === name)
    : !isNamed(projection.excluded);
  const byId = new Map<string, Membership[]>();
  if (!wanted) return byId;
  const by = type.name === 'User' ? 'user_id' : 'group_id';
  const rows = await listMemberships(
    db,
    by,
    resources.map((resource) => resource.id),
  );
  for (const row of rows) {
    const id = type.name === 'User' ? row.userId : row.groupId;
    byId.set(id, [...(byId.get(id) ?? []), row]);
  }
  return byId;
}

/** One page of users or groups as a ListResponse. */
export async function listPage(
  db: IdentityDb,
  publicUrl: string,
  type: ResourceType,
  query: ListQuery,
): Promise<Record<string, unknown>> {
  const projection = readProjection(type, query);
  const where: RawBuilder<boolean> = query.filter ? compileFilter(type, parseFilter(query.filter)) : sql`true`;
  const sort = query.sortBy ? compileSort(type, query.sortBy, parseAttributePath(query.sortBy)) : sql<string>`''::text`;
  const limit = Math.min(Math.max(query.count ?? PAGE_DEFAULT, 0), PAGE_MAX);
  const startIndex = Math.max(query.startIndex ?? 1, 1);
  const digest = queryDigest({
    type: type.name,
    filter: query.filter,
    sortBy: query.sortBy,
    sortOrder: query.sortOrder,
  });
  const byCursor = query.cursor !== undefined;
  if (byCursor && query.startIndex !== undefined) {
    throw new ScimRefused(400, 'A page is asked for by cursor or by startIndex.', 'invalidValue');
  }
  if (startIndex > OFFSET_MAX) throw new ScimRefused(400, 'Use a cursor to page this far.', 'tooMany');

  const totalResults = await countResources(db, type.name, where);
  const rows = await listResources(db, type.name, {
    where,
    sort,
    descending: query.sortOrder === 'descending',
    // One more than asked for tells whether another page follows.
    limit: byCursor && limit > 0 ? limit + 1 : limit,
    offset: byCursor ? 0 : startIndex - 1,
    after: query.cursor === undefined ? null : readCursor(query.cursor, digest),
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > page.length && last !== undefined;
  const Resources = await renderPage(
    db,
    publicUrl,
    type,
    page.map((row) => row.resource),
    projection,
  );
  return {
    schemas: [LIST_SCHEMA],
    totalResults,
    itemsPerPage: Resources.length,
    ...(byCursor ? {} : { startIndex }),
    ...(byCursor && more ? { nextCursor: writeCursor({ key: last.key, id: last.resource.id }, digest) } : {}),
    Resources,
  };
}

async function renderPage(
  db: IdentityDb,
  publicUrl: string,
  type: ResourceType,
  resources: readonly StoredResource[],
  projection: Projection,
): Promise<Resource[]> {
  const memberships = await loadMemberships(db, type, resources, projection);
  return resources.map((resource) =>
    project(type, renderResource(publicUrl, type, resource, memberships.get(resource.id) ?? []), projection),
  );
}
