import {
  CASE_PAGE_MAX,
  CASE_STATUSES,
  type CaseCommands,
  caseInput,
  casePatch,
  type ChannelCommands,
  channelInput,
  entryInput,
  type Evidence,
  type IncidentCase,
  LINK_KINDS,
  linkInput,
  listCases,
  listChannels,
  listEntries,
  listEvidence,
  listLinks,
  listMessages,
  listRuns,
  listTasks,
  loadCase,
  markInput,
  medianMetrics,
  metricsOf,
  ocsfIncident,
  queueMessage,
  reviewInput,
  stixBundle,
  taskInput,
  taskPatch,
} from '@cordon/incidents';
import { appendAudit, type Clock, type Database, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf, RequestInvalid } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { caseBody, caseDetail, channelBody, evidenceBody, metricsBody } from './case-bodies.ts';
import { idParameter } from './estate-bodies.ts';
import { showRun } from './playbook-routes.ts';

export interface CaseRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cases: CaseCommands;
  readonly evidence: Evidence;
  readonly channels: ChannelCommands;
}

const tags = ['cases'];
const RUNS_SHOWN_MAX = 100;
/** Base64 in a JSON body: three quarters of the body's limit, less the rest of the body. */
const UPLOAD_CHARS_MAX = 14 * 1024 * 1024;
const UPLOAD_BYTES_MAX = 15 * 1024 * 1024;
const reasonBody = z.strictObject({ reason: z.string().trim().min(3, 'say why').max(2_000) });
/** A case's id or its number. */
const caseParameter = z.object({ id: z.union([z.uuid(), z.string().regex(/^\d{1,9}$/)]) });

const withMetrics = (one: IncidentCase) => ({ ...one, roles: { ...one.roles }, metrics: metricsOf(one) });

async function partsOf(db: Database, ref: string) {
  const of = await loadCase(db, ref);
  const [links, evidence, tasks] = await Promise.all([
    listLinks(db, of.id),
    listEvidence(db, of.id),
    listTasks(db, of.id),
  ]);
  return { of, links, evidence, tasks };
}

async function detailOf(db: Database, ref: string) {
  const { of, links, evidence, tasks } = await partsOf(db, ref);
  const [timeline, messages, runs] = await Promise.all([
    listEntries(db, of.id),
    listMessages(db, of.id),
    listRuns(db, { caseId: of.id, limit: RUNS_SHOWN_MAX }),
  ]);
  return {
    ...withMetrics(of),
    links,
    evidence,
    tasks,
    timeline: timeline.map((one) => ({ ...one, detail: { ...one.detail } })),
    messages: messages.map((one) => ({ ...one, to: [...one.to] })),
    runs: runs.map(showRun),
  };
}

export function addCaseRoutes(server: ApiServer, deps: CaseRouteDeps): void {
  const { db, cases } = deps;
  server.get(
    '/api/v1/cases',
    {
      config: { permission: 'case.read' },
      schema: {
        tags,
        querystring: z.object({
          status: z
            .string()
            .transform((text) => text.split(','))
            .pipe(z.array(z.enum(CASE_STATUSES)).min(1))
            .optional(),
          /** `alert:019b…`: cases that are about this. */
          link: z
            .string()
            .max(700)
            .regex(/^[a-z-]+:.+$/)
            .optional(),
          limit: z.coerce.number().int().min(1).max(CASE_PAGE_MAX).default(100),
        }),
        response: { 200: z.object({ items: z.array(caseBody), medians: metricsBody }) },
      },
    },
    async (request) => {
      const { status, link, limit } = request.query;
      const at = link?.indexOf(':') ?? -1;
      const about = link === undefined ? undefined : { kind: link.slice(0, at), ref: link.slice(at + 1) };
      const items = (await listCases(db, { status, link: about, limit })).map(withMetrics);
      return { items, medians: medianMetrics(items.map(({ metrics }) => metrics)) };
    },
  );
  server.post(
    '/api/v1/cases',
    { config: { permission: 'case.write' }, schema: { tags, body: caseInput, response: { 201: caseBody } } },
    async (request, reply) => reply.status(201).send(withMetrics(await cases.open(actorOf(request), request.body))),
  );
  server.get(
    '/api/v1/cases/:id',
    { config: { permission: 'case.read' }, schema: { tags, params: caseParameter, response: { 200: caseDetail } } },
    async (request) => detailOf(db, request.params.id),
  );
  server.patch(
    '/api/v1/cases/:id',
    {
      config: { permission: 'case.write' },
      schema: { tags, params: idParameter, body: casePatch, response: { 200: caseBody } },
    },
    async (request) => withMetrics(await cases.update(actorOf(request), request.params.id, request.body)),
  );
  addChanges(server, deps);
  addParts(server, deps);
  addExports(server, deps);
  addChannelRoutes(server, deps);
}

/** Changes that take a body and answer with the case. */
function addChanges(server: ApiServer, { cases }: CaseRouteDeps): void {
  const config = { permission: 'case.write' } as const;
  const answer = { 200: caseBody };
  server.post(
    '/api/v1/cases/:id/marks',
    { config, schema: { tags, params: idParameter, body: markInput, response: answer } },
    async (request) => withMetrics(await cases.mark(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/cases/:id/entries',
    { config, schema: { tags, params: idParameter, body: entryInput, response: answer } },
    async (request) => withMetrics(await cases.addEntry(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/cases/:id/links',
    { config, schema: { tags, params: idParameter, body: linkInput, response: answer } },
    async (request) => withMetrics(await cases.link(actorOf(request), request.params.id, request.body)),
  );
  server.delete(
    '/api/v1/cases/:id/links',
    {
      config,
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({ kind: z.enum(LINK_KINDS), ref: z.string().max(600) }),
        response: answer,
      },
    },
    async (request) => {
      const { kind, ref } = request.query;
      return withMetrics(await cases.unlink(actorOf(request), request.params.id, kind, ref));
    },
  );
  server.post(
    '/api/v1/cases/:id/review',
    { config, schema: { tags, params: idParameter, body: reviewInput, response: answer } },
    async (request) => withMetrics(await cases.review(actorOf(request), request.params.id, request.body)),
  );
  for (const verb of ['close', 'reopen'] as const) {
    server.post(
      `/api/v1/cases/:id/${verb}`,
      { config, schema: { tags, params: idParameter, body: reasonBody, response: answer } },
      async (request) => withMetrics(await cases[verb](actorOf(request), request.params.id, request.body.reason)),
    );
  }
}

function addParts(server: ApiServer, { db, clock, cases, evidence }: CaseRouteDeps): void {
  const config = { permission: 'case.write' } as const;
  server.post(
    '/api/v1/cases/:id/tasks',
    { config, schema: { tags, params: idParameter, body: taskInput, response: { 200: caseBody } } },
    async (request) => withMetrics(await cases.addTask(actorOf(request), request.params.id, request.body)),
  );
  server.patch(
    '/api/v1/cases/:id/tasks/:task',
    {
      config,
      schema: { tags, params: idParameter.extend({ task: z.uuid() }), body: taskPatch, response: { 200: caseBody } },
    },
    async (request) => {
      const { id, task } = request.params;
      return withMetrics(await cases.changeTask(actorOf(request), id, task, request.body));
    },
  );
  server.post(
    '/api/v1/cases/:id/evidence',
    {
      config,
      bodyLimit: UPLOAD_BYTES_MAX,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({
          name: z.string().trim().min(1).max(300),
          mediaType: z.string().max(200).default('application/octet-stream'),
          contentBase64: z.base64().max(UPLOAD_CHARS_MAX),
        }),
        response: { 201: evidenceBody },
      },
    },
    async (request, reply) => {
      const { name, mediaType, contentBase64 } = request.body;
      const content = Buffer.from(contentBase64, 'base64');
      return reply
        .status(201)
        .send(await evidence.add(actorOf(request), request.params.id, { name, mediaType, content }));
    },
  );
  server.get(
    '/api/v1/cases/:id/evidence/:file',
    {
      config: { permission: 'case.read' },
      schema: { tags, params: idParameter.extend({ file: z.uuid() }), response: { 200: z.unknown() } },
    },
    async (request, reply) => {
      const { id, file } = request.params;
      const { name, content } = await evidence.read(actorOf(request), id, file);
      // Never shown by the browser: evidence may be an attacker's own file.
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
        .send(content);
    },
  );
  server.post(
    '/api/v1/cases/:id/messages',
    {
      config,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({
          channel: z.string().min(1).max(100),
          to: z.array(z.email()).max(50).default([]),
          subject: z.string().max(300).default(''),
          text: z.string().trim().min(1).max(8_000),
        }),
        response: { 202: z.object({ queued: z.literal(true) }) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const at = clock.now();
      const { channel, to, subject, text } = request.body;
      const of = await loadCase(db, id);
      await db.transaction(async (tx) => {
        await queueMessage(tx, { key: `manual:${uuidv7(at)}`, caseId: id, channel, to, subject, text }, at);
        const target = { type: 'case', id, name: of.title };
        await appendAudit(tx, { actor, action: 'case.message_queued', target, detail: { channel, to, subject }, at });
      });
      const said = `To ${to.join(', ') || channel}: ${subject || text}`;
      await cases.addEntry(actor, id, { kind: 'message', text: said.slice(0, 8_000) });
      return reply.status(202).send({ queued: true });
    },
  );
}

function addExports(server: ApiServer, { db }: CaseRouteDeps): void {
  server.get(
    '/api/v1/cases/:id/export',
    {
      config: { permission: 'case.read' },
      schema: {
        tags,
        params: caseParameter,
        querystring: z.object({ format: z.enum(['stix', 'ocsf']) }),
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async (request) => {
      const parts = await partsOf(db, request.params.id);
      return request.query.format === 'stix' ? stixBundle(parts) : ocsfIncident(parts);
    },
  );
}

function addChannelRoutes(server: ApiServer, { db, channels }: CaseRouteDeps): void {
  server.get(
    '/api/v1/channels',
    {
      config: { permission: 'case.read' },
      schema: { tags: ['channels'], response: { 200: z.object({ items: z.array(channelBody) }) } },
    },
    async () => ({ items: await listChannels(db) }),
  );
  server.post(
    '/api/v1/channels',
    {
      config: { permission: 'playbook.write' },
      schema: { tags: ['channels'], body: z.unknown(), response: { 201: channelBody } },
    },
    async (request, reply) => {
      const parsed = channelInput.safeParse(request.body);
      if (!parsed.success)
        throw new RequestInvalid(
          parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
        );
      return reply.status(201).send(await channels.add(actorOf(request), parsed.data));
    },
  );
  server.delete(
    '/api/v1/channels/:id',
    {
      config: { permission: 'playbook.write' },
      schema: { tags: ['channels'], params: idParameter, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await channels.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
