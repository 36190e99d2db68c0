import { Readable } from 'node:stream';
import {
  browse,
  BROWSE_PAGE_MAX,
  compareSnapshots,
  exportRecords,
  type Job,
  ITEMS_PAGE_MAX,
  JOB_KINDS,
  listItems,
  listJobs,
  listPlans,
  loadJob,
  loadPlan,
  type Plan,
  planInput,
  readFileBytes,
  readFileFacts,
  readRecord,
  recoveryOf,
  restoreInput,
  type SnapshotManifest,
} from '@cordon/backup';
import { appendAudit, type Actor, type Clock, type Database } from '@cordon/kernel';
import { z } from 'zod';
import type { BackupParts } from '../backup/backup-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface BackupRouteDeps extends BackupParts {
  readonly db: Database;
  readonly clock: Clock;
}

const LINES_SHOWN_MAX = 200;
const tags = ['backups'];
const planBody = planInput.extend({
  id: z.string(),
  nextBackupAt: z.number().nullable(),
  nextVerifyAt: z.number().nullable(),
  nextSampleAt: z.number().nullable(),
  wholeAt: z.number().nullable(),
  verifiedTakenAt: z.number().nullable(),
  verifiedAt: z.number().nullable(),
  sample: z.object({ ms: z.number(), records: z.number(), at: z.number() }).nullable(),
  records: z.number(),
  snapshots: z.number(),
  recovery: z.object({
    rpoS: z.number().nullable(),
    rpoMet: z.boolean(),
    rtoS: z.number().nullable(),
    rtoMet: z.boolean(),
  }),
});
const snapshotBody = z.object({
  id: z.string(),
  at: z.number(),
  records: z.number(),
  added: z.number(),
  changed: z.number(),
  removed: z.number(),
  storedBytes: z.number(),
  root: z.string(),
  notRead: z.array(z.object({ stream: z.string(), why: z.string() })),
});
const jobBody = z.object({
  id: z.string(),
  planId: z.string().nullable(),
  kind: z.enum(JOB_KINDS),
  input: z.unknown(),
  status: z.enum(['queued', 'running', 'done', 'failed']),
  result: z.unknown(),
  error: z.string().nullable(),
  actor: z.string(),
  createdAt: z.number(),
  endedAt: z.number().nullable(),
});
const line = z.object({ stream: z.string(), object: z.string(), id: z.string() });
const itemBody = z.object({
  ordinal: z.number(),
  op: z.string(),
  object: z.string(),
  recordId: z.string(),
  title: z.string().nullable(),
  action: z.string().nullable(),
  note: z.string().nullable(),
  status: z.string(),
  newId: z.string().nullable(),
});
const scope = z.object({ object: z.string().max(128).optional(), id: z.string().max(512).optional() });
const snapshotParameter = idParameter.extend({ snapshot: z.uuid() });

const showSnapshot = (one: SnapshotManifest): z.output<typeof snapshotBody> => {
  const { id, at, records, added, changed, removed, storedBytes, root } = one;
  const notRead = one.streams.flatMap(({ name, notRead: why }) => (why === null ? [] : [{ stream: name, why }]));
  return { id, at, records, added, changed, removed, storedBytes, root, notRead };
};
const showJob = ({ id, planId, kind, input, status, result, error, actor, createdAt, endedAt }: Job) => ({
  id,
  planId,
  kind,
  input,
  status,
  result,
  error,
  actor,
  createdAt,
  endedAt,
});

/** Reading what was backed up is reading a customer's records: it is written down. */
function noteRead({ db, clock }: BackupRouteDeps, actor: Actor, plan: Plan, detail: Record<string, unknown>) {
  const target = { type: 'backup_plan', id: plan.id, name: plan.name };
  return db.transaction((tx) =>
    appendAudit(tx, { actor, action: 'backup.records_read', target, detail, at: clock.now() }),
  );
}

export function addBackupRoutes(server: ApiServer, deps: BackupRouteDeps): void {
  addPlanRoutes(server, deps);
  addSnapshotRoutes(server, deps);
}

function addPlanRoutes(server: ApiServer, deps: BackupRouteDeps): void {
  const { db, clock, backups, openBackups } = deps;
  const show = async (plans: readonly Plan[]): Promise<z.output<typeof planBody>[]> => {
    const all = plans.length === 0 ? [] : await (await openBackups()).snapshots();
    return plans.map((plan) => {
      const own = all.filter(({ subject }) => subject === plan.connectionId);
      const records = own.at(-1)?.records ?? 0;
      return { ...plan, records, snapshots: own.length, recovery: recoveryOf(plan, records, clock.now()) };
    });
  };
  server.get(
    '/api/v1/backups',
    {
      config: { permission: 'backup.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(planBody) }) } },
    },
    async () => ({ items: await show(await listPlans(db)) }),
  );
  server.put(
    '/api/v1/backups',
    {
      config: { permission: 'backup.write' },
      schema: { tags, body: planInput, response: { 200: z.object({ id: z.string() }) } },
    },
    async (request) => ({ id: (await backups.putPlan(actorOf(request), request.body)).id }),
  );
  server.delete(
    '/api/v1/backups/:id',
    { config: { permission: 'backup.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await backups.removePlan(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/backups/:id/jobs',
    {
      config: { permission: 'backup.run' },
      schema: {
        tags,
        params: idParameter,
        body: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('snapshot') }),
          z.strictObject({ kind: z.literal('sample') }),
          z.strictObject({ kind: z.literal('prune') }),
          z.strictObject({ kind: z.literal('verify'), sample: z.number().min(0.01).max(1).optional() }),
          z.strictObject({ kind: z.literal('rotate'), reseal: z.boolean().optional() }),
          z.strictObject({ kind: z.literal('plan'), scope: restoreInput }),
          z.strictObject({ kind: z.literal('restore'), dryRun: z.uuid() }),
        ]),
        response: { 202: jobBody },
      },
    },
    async (request, reply) => {
      const { kind, ...rest } = request.body;
      const input = 'scope' in rest ? rest.scope : rest;
      // A dry run is done once, whoever presses twice.
      const key = 'dryRun' in rest ? `restore:${rest.dryRun}` : undefined;
      const job = await backups.request(actorOf(request), { kind, planId: request.params.id, input, key });
      return reply.status(202).send(showJob(job));
    },
  );
  server.get(
    '/api/v1/backups/:id/jobs',
    {
      config: { permission: 'backup.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(jobBody) }) } },
    },
    async (request) => ({ items: (await listJobs(db, request.params.id)).map(showJob) }),
  );
  server.get(
    '/api/v1/backup-jobs/:id',
    { config: { permission: 'backup.read' }, schema: { tags, params: idParameter, response: { 200: jobBody } } },
    async (request) => showJob(await loadJob(db, request.params.id)),
  );
  server.get(
    '/api/v1/backup-jobs/:id/items',
    {
      config: { permission: 'backup.restore' },
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({
          after: z.coerce.number().int().default(-1),
          limit: z.coerce.number().int().min(1).max(ITEMS_PAGE_MAX).default(100),
        }),
        response: { 200: z.object({ items: z.array(itemBody) }) },
      },
    },
    async (request) => ({ items: await listItems(db, request.params.id, request.query.after, request.query.limit) }),
  );
}

function addSnapshotRoutes(server: ApiServer, deps: BackupRouteDeps): void {
  const { db, openBackups } = deps;
  const find = async (planId: string, snapshot: string) => {
    const plan = await loadPlan(db, planId);
    const repository = await openBackups();
    const manifest = (await repository.snapshots(plan.connectionId)).find(({ id }) => id === snapshot);
    // Of another app: not there, for who asks through this one.
    return { plan, repository, manifest: manifest ?? (await repository.snapshot('')) };
  };
  server.get(
    '/api/v1/backups/:id/snapshots',
    {
      config: { permission: 'backup.read' },
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(snapshotBody) }) } },
    },
    async (request) => {
      const plan = await loadPlan(db, request.params.id);
      const all = await (await openBackups()).snapshots(plan.connectionId);
      return { items: all.toReversed().map(showSnapshot) };
    },
  );
  server.get(
    '/api/v1/backups/:id/snapshots/:snapshot/records',
    {
      config: { permission: 'backup.records' },
      schema: {
        tags,
        params: snapshotParameter,
        querystring: scope.extend({
          text: z.string().max(200).optional(),
          offset: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(BROWSE_PAGE_MAX).default(50),
        }),
        response: {
          200: z.object({
            total: z.number(),
            isWhole: z.boolean(),
            objects: z.record(z.string(), z.number()),
            items: z.array(line.extend({ title: z.string().nullable() })),
          }),
        },
      },
    },
    async (request) => {
      const { plan, repository, manifest } = await find(request.params.id, request.params.snapshot);
      await noteRead(deps, actorOf(request), plan, { snapshot: manifest.id, ...request.query });
      return browse(repository, manifest, request.query);
    },
  );
  server.get(
    '/api/v1/backups/:id/snapshots/:snapshot/record',
    {
      config: { permission: 'backup.records' },
      schema: {
        tags,
        params: snapshotParameter,
        querystring: z.object({ object: z.string().max(128), id: z.string().max(512) }),
        response: {
          200: z.object({
            title: z.string().nullable(),
            content: z.unknown(),
            facts: z.unknown(),
            file: z
              .object({ bytes: z.number().nullable(), sha256: z.string().nullable(), notRead: z.string().nullable() })
              .nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { plan, repository, manifest } = await find(request.params.id, request.params.snapshot);
      await noteRead(deps, actorOf(request), plan, { snapshot: manifest.id, ...request.query });
      const record = await readRecord(repository, manifest, request.query);
      const { title, content, facts } = record;
      return { title, content, facts, file: await readFileFacts(repository, manifest, record) };
    },
  );
  server.get(
    '/api/v1/backups/:id/snapshots/:snapshot/compare/:other',
    {
      config: { permission: 'backup.records' },
      schema: {
        tags,
        params: snapshotParameter.extend({ other: z.uuid() }),
        response: {
          200: z.object({
            counts: z.object({ added: z.number(), changed: z.number(), removed: z.number() }),
            added: z.array(line),
            changed: z.array(line),
            removed: z.array(line),
          }),
        },
      },
    },
    async (request) => {
      const { id, snapshot, other } = request.params;
      const { repository, manifest } = await find(id, snapshot);
      const found = await compareSnapshots(repository, manifest, (await find(id, other)).manifest);
      const { added, changed, removed } = found;
      const first = (list: typeof added) =>
        list.slice(0, LINES_SHOWN_MAX).map(({ stream, object, id: ref }) => ({ stream, object, id: ref }));
      return {
        counts: { added: added.length, changed: changed.length, removed: removed.length },
        added: first(added),
        changed: first(changed),
        removed: first(removed),
      };
    },
  );
  server.get(
    '/api/v1/backups/:id/snapshots/:snapshot/file',
    {
      config: { permission: 'backup.records' },
      schema: {
        tags,
        params: snapshotParameter,
        querystring: z.object({ object: z.string().max(128), id: z.string().max(512) }),
      },
    },
    async (request, reply) => {
      const { plan, repository, manifest } = await find(request.params.id, request.params.snapshot);
      const record = await readRecord(repository, manifest, request.query);
      const facts = await readFileFacts(repository, manifest, record);
      await noteRead(deps, actorOf(request), plan, {
        snapshot: manifest.id,
        file: facts?.sha256 ?? null,
        ...request.query,
      });
      const name = (record.title ?? record.id).replaceAll(/[^\w.-]/g, '_').slice(0, 100);
      const bytes = readFileBytes(repository, manifest, record);
      const first = await bytes.next(); // what can't be read is said before the answer begins
      const all = async function* (): AsyncGenerator<Uint8Array> {
        if (first.done !== true) yield first.value;
        yield* bytes;
      };
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Readable.from(all(), { objectMode: false }));
    },
  );
  server.get(
    '/api/v1/backups/:id/snapshots/:snapshot/export',
    {
      config: { permission: 'backup.records' },
      schema: {
        tags,
        params: snapshotParameter,
        querystring: scope.extend({ format: z.enum(['ndjson', 'csv']).default('ndjson') }),
      },
    },
    async (request, reply) => {
      const { format, ...wanted } = request.query;
      const { plan, repository, manifest } = await find(request.params.id, request.params.snapshot);
      await noteRead(deps, actorOf(request), plan, { snapshot: manifest.id, export: format, ...wanted });
      const name = `${plan.app}-${new Date(manifest.at).toISOString().slice(0, 10)}.${format}`;
      return reply
        .header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"`)
        .send(Readable.from(exportRecords(repository, manifest, wanted, format)));
    },
  );
}
