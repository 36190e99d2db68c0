import {
  listSubjectRequests,
  listTargets,
  loadSubjectRequest,
  SUBJECT_KINDS,
  SUBJECT_STATUSES,
  type SubjectRequest,
  subjectRequestInput,
  type SubjectTarget,
  TARGET_STATUSES,
} from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import type { DataRouteDeps } from './data-routes.ts';

const tags = ['subject requests'];
const id = z.string().min(1).max(200);
const byId = z.strictObject({ id });
const bySeq = z.strictObject({ id, seq: z.coerce.number().int().min(0) });
const text = z.string().min(3).max(1_000);
const time = z.int().nullable();

const requestBody = z.object({
  id: z.string(),
  kind: z.enum(SUBJECT_KINDS),
  reference: z.string(),
  /** What was asked for, masked. */
  masked: z.array(z.object({ kind: z.string(), text: z.string() })),
  isSealed: z.boolean(),
  identity: z.object({ how: z.string(), by: z.string(), at: z.int() }).nullable(),
  receivedAt: z.int(),
  dueAt: z.int(),
  extension: z.object({ reason: z.string(), by: z.string(), at: z.int() }).nullable(),
  status: z.enum(SUBJECT_STATUSES),
  approvalAbove: z.int(),
  perMinuteMax: z.int(),
  openedBy: z.string(),
  openedAt: z.int(),
  approvedBy: z.string().nullable(),
  /** Records by state. */
  counts: z.record(z.string(), z.int()),
  /** What could not be read. */
  gaps: z.array(z.object({ app: z.string(), what: z.string(), because: z.string() })),
  evidence: z.unknown(),
  evidenceSha256: z.string().nullable(),
  error: z.string().nullable(),
  searchedAt: time,
  endedAt: time,
});

const targetBody = z.object({
  seq: z.int(),
  /** Empty: known by a fingerprint only. */
  connectionId: z.string(),
  app: z.string(),
  object: z.string(),
  recordId: z.string(),
  url: z.string().nullable(),
  /** Fields that name the person. */
  fields: z.array(z.string()),
  kinds: z.array(z.string()),
  way: z.enum(['delete', 'anonymise']).nullable(),
  action: z.string().nullable(),
  /** Only `verified` was seen gone by reading again. */
  status: z.enum(TARGET_STATUSES),
  reason: z.string().nullable(),
  actionRunId: z.string().nullable(),
  outcome: z.string().nullable(),
  verifiedAt: time,
  error: z.string().nullable(),
  doneBy: z.string().nullable(),
  doneAt: time,
});

const requestOf = ({ runBy: _runBy, runs: _runs, ...request }: SubjectRequest) => ({
  ...request,
  openedBy: request.openedBy.name,
  receivedAt: request.receivedAt.getTime(),
  dueAt: request.dueAt.getTime(),
  openedAt: request.openedAt.getTime(),
  searchedAt: request.searchedAt?.getTime() ?? null,
  endedAt: request.endedAt?.getTime() ?? null,
  gaps: [...request.gaps],
  masked: [...request.masked],
});

const targetOf = ({ parentId: _parentId, ...target }: SubjectTarget) => ({
  ...target,
  fields: [...target.fields],
  kinds: [...target.kinds],
  verifiedAt: target.verifiedAt?.getTime() ?? null,
  doneAt: target.doneAt?.getTime() ?? null,
});

type Deps = DataRouteDeps & { readonly db: Database };

/** Requests of data subjects: opened, searched, decided, carried out, proven. */
export function addSubjectRoutes(server: ApiServer, deps: Deps): void {
  addReads(server, deps);
  addSteps(server, deps);
  addDecisions(server, deps);
}

function addReads(server: ApiServer, { db, dataParts: { subjects } }: Deps): void {
  const config = { permission: 'subject.read' } as const;
  server.get(
    '/api/v1/subject-requests',
    { config, schema: { tags, response: { 200: z.object({ items: z.array(requestBody) }) } } },
    async () => ({ items: (await listSubjectRequests(db)).map(requestOf) }),
  );
  server.get(
    '/api/v1/subject-requests/:id',
    { config, schema: { tags, params: byId, response: { 200: requestBody } } },
    async (request) => requestOf(await loadSubjectRequest(db, request.params.id)),
  );
  server.get(
    '/api/v1/subject-requests/:id/targets',
    {
      config,
      schema: {
        tags,
        params: byId,
        querystring: z.strictObject({ after: z.coerce.number().int().min(-1).default(-1) }),
        response: { 200: z.object({ items: z.array(targetBody) }) },
      },
    },
    async ({ params, query }) => ({
      items: (await listTargets(db, params.id, query.after)).map(({ sealed: _sealed, ...target }) => targetOf(target)),
    }),
  );
  // POST: handing a person's data over is an act, and has its line in the trail.
  server.post(
    '/api/v1/subject-requests/:id/bundle',
    {
      config: { permission: 'subject.export' },
      schema: {
        tags,
        params: byId,
        body: z.strictObject({}),
        response: {
          200: z.object({
            request: z.string(),
            reference: z.string(),
            collectedAt: z.string(),
            apps: z.record(z.string(), z.array(z.object({ object: z.string(), id: z.string(), record: z.unknown() }))),
          }),
        },
      },
    },
    async (request) => {
      const { apps, ...bundle } = await subjects.bundle(actorOf(request), request.params.id);
      return { ...bundle, apps: Object.fromEntries(Object.entries(apps).map(([app, records]) => [app, [...records]])) };
    },
  );
}

function addSteps(server: ApiServer, { dataParts: { subjects } }: Deps): void {
  const config = { permission: 'subject.write' } as const;
  const response = { 200: requestBody };
  const none = z.strictObject({});
  server.post(
    '/api/v1/subject-requests',
    { config, schema: { tags, body: subjectRequestInput, response: { 201: requestBody } } },
    async (request, reply) => reply.code(201).send(requestOf(await subjects.open(actorOf(request), request.body))),
  );
  server.post(
    '/api/v1/subject-requests/:id/search',
    { config, schema: { tags, params: byId, body: none, response } },
    async (request) => requestOf(await subjects.search(actorOf(request), request.params.id)),
  );
  server.post(
    '/api/v1/subject-requests/:id/run',
    { config, schema: { tags, params: byId, body: none, response } },
    async (request) => requestOf(await subjects.run(actorOf(request), request.params.id)),
  );
  server.post(
    '/api/v1/subject-requests/:id/targets/:seq/spare',
    {
      config,
      schema: { tags, params: bySeq, body: z.strictObject({ reason: text }), response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { params, body } = request;
      await subjects.spare(actorOf(request), params.id, params.seq, body.reason);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/subject-requests/:id/targets/:seq/done',
    { config, schema: { tags, params: bySeq, body: z.strictObject({ how: text }), response } },
    async (request) => {
      const { params, body } = request;
      return requestOf(await subjects.taskDone(actorOf(request), params.id, params.seq, body.how));
    },
  );
}

function addDecisions(server: ApiServer, { dataParts: { subjects } }: Deps): void {
  const config = { permission: 'subject.write' } as const;
  const response = { 200: requestBody };
  const reason = z.strictObject({ reason: text });
  server.post(
    '/api/v1/subject-requests/:id/identity',
    { config, schema: { tags, params: byId, body: z.strictObject({ how: text }), response } },
    async (request) => requestOf(await subjects.noteIdentity(actorOf(request), request.params.id, request.body.how)),
  );
  server.post(
    '/api/v1/subject-requests/:id/extend',
    { config, schema: { tags, params: byId, body: reason, response } },
    async (request) => requestOf(await subjects.extend(actorOf(request), request.params.id, request.body.reason)),
  );
  server.post(
    '/api/v1/subject-requests/:id/refuse',
    { config, schema: { tags, params: byId, body: reason, response } },
    async (request) => requestOf(await subjects.refuse(actorOf(request), request.params.id, request.body.reason)),
  );
  server.post(
    '/api/v1/subject-requests/:id/approve',
    {
      config: { permission: 'subject.approve' },
      schema: { tags, params: byId, body: z.strictObject({}), response },
    },
    async (request) => requestOf(await subjects.approve(actorOf(request), request.params.id)),
  );
}
