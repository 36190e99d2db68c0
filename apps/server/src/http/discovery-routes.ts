import {
  ACT_STATES,
  APP_STATES,
  type AppCommands,
  APPS_PAGE_MAX,
  askInput,
  type Catalogue,
  decideInput,
  EVIDENCE_KINDS,
  type FoundApp,
  KEY_AGES,
  KEY_MODES,
  keptReport,
  type KeyCommands,
  listDecisions,
  listEvidence,
  listFoundApps,
  listReads,
  listUses,
  loadFoundApp,
  LOG_FORMATS,
  type ReadCommands,
  riskOf,
} from '@cordon/discovery';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface DiscoveryRouteDeps {
  readonly db: Database;
  readonly catalogue: Catalogue;
  readonly foundApps: AppCommands;
  readonly foundKeys: KeyCommands;
  readonly logReads: ReadCommands;
}

const tags = ['discovery'];
/** A log is read as it arrives and never kept: its length is bounded by time, not by memory. */
export const LOG_BYTES_MAX = 16 * 1024 ** 3;

const keyParameter = z.object({ key: z.string().min(1).max(120) });
const moment = z.int().nullable();
const hint = z.object({ code: z.string(), text: z.string(), weight: z.int(), source: z.string().nullable() });
const appBody = z.object({
  key: z.string(),
  name: z.string(),
  company: z.string().nullable(),
  category: z.string().nullable(),
  categoryTitle: z.string().nullable(),
  ai: z.boolean(),
  domains: z.array(z.string()),
  state: z.enum(APP_STATES),
  owner: z.object({ id: z.string(), name: z.string() }).nullable(),
  dueAt: moment,
  decidedBy: z.string().nullable(),
  decidedAt: moment,
  reason: z.string().nullable(),
  expiresAt: moment,
  users: z.int(),
  addresses: z.int(),
  events: z.int(),
  bytes: z.int(),
  firstAt: z.int(),
  lastAt: z.int(),
  createdAt: z.int(),
  evidence: z.array(z.enum(EVIDENCE_KINDS)),
  risk: z.object({ score: z.int(), hints: z.array(hint) }),
  /** Sanctioned apps of the same category. */
  rivals: z.array(z.string()),
});
const useBody = z.object({
  evidence: z.enum(EVIDENCE_KINDS),
  who: z.string(),
  source: z.string(),
  detail: z.string().nullable(),
  firstAt: z.int(),
  lastAt: z.int(),
  events: z.int(),
  bytes: z.int(),
});
const decisionBody = z.object({
  id: z.string(),
  from: z.enum(APP_STATES),
  to: z.enum(APP_STATES),
  by: z.string(),
  reason: z.string(),
  expiresAt: moment,
  at: z.int(),
});
export const runBody = z.object({
  id: z.string(),
  subject: z.object({ type: z.enum(['app', 'key', 'client']), id: z.string(), name: z.string() }),
  reason: z.string(),
  startedBy: z.string(),
  startedAt: z.int(),
  endedAt: moment,
  acts: z.array(
    z.object({
      key: z.string(),
      kind: z.string(),
      name: z.string(),
      act: z.string(),
      state: z.enum(ACT_STATES),
      detail: z.string().nullable(),
      attempts: z.int(),
      at: z.int(),
      closedBy: z.string().nullable(),
    }),
  ),
});
const keyBody = z.object({
  ref: z.string(),
  tool: z.string(),
  toolTitle: z.string(),
  externalId: z.string(),
  kind: z.string(),
  name: z.string().nullable(),
  owner: z.string().nullable(),
  scopes: z.array(z.string()),
  createdAt: moment,
  lastUsedAt: moment,
  expiresAt: moment,
  firstSeenAt: z.int(),
  ageDays: z.int(),
  isAgeAtLeast: z.boolean(),
  age: z.enum(KEY_AGES),
  why: z.array(z.string()),
  canRotate: z.boolean(),
  canRemove: z.boolean(),
});
const fileBody = keptReport.extend({
  sha256: z.string(),
  name: z.string(),
  format: z.string(),
  readBy: z.string(),
  readAt: z.int(),
});
const readQuery = z.object({
  format: z.string().max(40),
  name: z.string().trim().min(1).max(200).default('upload'),
  utcOffsetHours: z.coerce.number().min(-14).max(14).default(0),
});

type AppBody = z.output<typeof appBody>;

/** Found apps with what the catalogue knows, judged by their evidence. */
async function present(db: Database, catalogue: Catalogue, apps: readonly FoundApp[]): Promise<AppBody[]> {
  const evidence = await listEvidence(
    db,
    apps.map(({ key }) => key),
  );
  const sanctioned = await listFoundApps(db, { state: 'sanctioned' });
  return apps.map((app) => {
    const known = catalogue.find(app.key);
    const uses = evidence.get(app.key) ?? [];
    const isRival = app.state !== 'sanctioned' && app.category !== null;
    const rivals = isRival
      ? sanctioned.filter(({ category }) => category === app.category).map(({ name }) => name)
      : [];
    const { score, hints } = riskOf(app, known, uses, rivals);
    return {
      ...app,
      categoryTitle: known?.categoryTitle ?? null,
      ai: known?.ai ?? false,
      domains: [...(known?.domains ?? [])],
      evidence: [...new Set(uses.map((use) => use.evidence))],
      risk: { score, hints: [...hints] },
      rivals,
    };
  });
}

type Runs = Awaited<ReturnType<AppCommands['runs']>>;
export const plainRuns = (runs: Runs) => runs.map((run) => ({ ...run, acts: [...run.acts] }));

/** Apps that people use, known and unknown; keys that are too old; logs that are read. */
export function addDiscoveryRoutes(server: ApiServer, deps: DiscoveryRouteDeps): void {
  const { db, catalogue, foundApps, foundKeys } = deps;
  const read = { config: { permission: 'discovery.read' } } as const;
  server.get(
    '/api/v1/discovery/apps',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({
          state: z.enum(APP_STATES).optional(),
          category: z.string().max(80).optional(),
          text: z.string().max(200).optional(),
          who: z.string().max(256).optional(),
          limit: z.coerce.number().int().min(1).max(APPS_PAGE_MAX).default(APPS_PAGE_MAX),
        }),
        response: { 200: z.object({ items: z.array(appBody), known: z.int() }) },
      },
    },
    async ({ query: { state, category, text, who, limit } }) => {
      const wanted = {
        limit,
        ...(state ? { state } : {}),
        ...(category ? { category } : {}),
        ...(text ? { text } : {}),
        ...(who ? { who } : {}),
      };
      return { items: await present(db, catalogue, await listFoundApps(db, wanted)), known: catalogue.apps.length };
    },
  );
  server.get(
    '/api/v1/discovery/apps/:key',
    {
      ...read,
      schema: {
        tags,
        params: keyParameter,
        response: {
          200: z.object({
            app: appBody,
            uses: z.array(useBody),
            decisions: z.array(decisionBody),
            runs: z.array(runBody),
          }),
        },
      },
    },
    async ({ params: { key } }) => {
      const [app] = await present(db, catalogue, [await loadFoundApp(db, key)]);
      const [uses, decisions, runs] = await Promise.all([
        listUses(db, key),
        listDecisions(db, key),
        foundApps.runs(key),
      ]);
      return { app: app!, uses, decisions, runs: plainRuns(runs) }; // one was asked for
    },
  );
  server.post(
    '/api/v1/discovery/apps/:key/ask',
    {
      config: { permission: 'discovery.write' },
      schema: { tags, params: keyParameter, body: askInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await foundApps.ask(actorOf(request), request.params.key, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/discovery/apps/:key/answer',
    {
      config: { permission: 'discovery.answer' },
      schema: {
        tags,
        params: keyParameter,
        body: z.strictObject({ text: z.string().max(1_000) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await foundApps.answer(actorOf(request), request.params.key, request.body.text);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/discovery/apps/:key/decide',
    {
      config: { permission: 'discovery.decide' },
      schema: {
        tags,
        params: keyParameter,
        body: decideInput,
        response: { 200: z.object({ state: z.enum(APP_STATES), runId: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { app, runId } = await foundApps.decide(actorOf(request), request.params.key, request.body);
      return { state: app.state, runId };
    },
  );
  server.get(
    '/api/v1/discovery/keys',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(keyBody), runs: z.array(runBody) }) } } },
    async (request) => {
      const keys = await foundKeys.list(actorOf(request));
      const items = keys.map((key) => ({ ...key, scopes: [...key.scopes], why: [...key.why] }));
      return { items, runs: plainRuns(await foundKeys.runs()) };
    },
  );
  server.post(
    '/api/v1/discovery/keys/act',
    {
      config: { permission: 'discovery.rotate' },
      schema: {
        tags,
        body: z.strictObject({
          ref: z.string().min(1).max(700),
          mode: z.enum(KEY_MODES),
          reason: z.string().trim().min(3).max(1_000),
        }),
        response: { 202: z.object({ runId: z.string() }) },
      },
    },
    async (request, reply) => {
      const { ref, mode, reason } = request.body;
      return reply.status(202).send(await foundKeys.act(actorOf(request), ref, mode, reason));
    },
  );
  server.post(
    '/api/v1/discovery/runs/:id/tasks',
    {
      config: { permission: 'discovery.rotate' },
      schema: {
        tags,
        params: z.object({ id: z.uuid() }),
        body: z.strictObject({ key: z.string().min(1).max(2_000), note: z.string().max(1_000) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await foundApps.closeTask(actorOf(request), request.params.id, request.body.key, request.body.note);
      return reply.status(204).send(null);
    },
  );
  addFileRoutes(server, deps);
}

function addFileRoutes(server: ApiServer, { db, logReads }: DiscoveryRouteDeps): void {
  server.get(
    '/api/v1/discovery/files',
    {
      config: { permission: 'discovery.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(fileBody),
            formats: z.array(z.object({ name: z.string(), title: z.string(), evidence: z.enum(EVIDENCE_KINDS) })),
          }),
        },
      },
    },
    async () => ({
      items: await listReads(db),
      formats: LOG_FORMATS.map(({ name, title, evidence }) => ({ name, title, evidence })),
    }),
  );
  // In a scope of its own: only here a body is a stream of bytes.
  server.register(async (scope) => {
    scope.addContentTypeParser('application/octet-stream', { bodyLimit: LOG_BYTES_MAX }, (_request, payload, done) =>
      done(null, payload),
    );
    scope.post(
      '/api/v1/discovery/files',
      {
        config: { permission: 'discovery.write' },
        bodyLimit: LOG_BYTES_MAX,
        schema: { tags, consumes: ['application/octet-stream'], querystring: readQuery, response: { 201: fileBody } },
      },
      async (request, reply) => {
        // The parser above hands the request itself on.
        const body = request.body as AsyncIterable<Uint8Array>;
        return reply.status(201).send(await logReads.read(actorOf(request), readQuery.parse(request.query), body));
      },
    );
  });
}
