import {
  actionInput,
  DRILL_PAGE_MAX,
  type Drill,
  drillInput,
  listDrills,
  listEntries,
  listObjects,
  listSchedules,
  listScored,
  lessonsInput,
  loadDrill,
  noteInput,
  NO_FACTS,
  reportOf,
  responseInput,
  type Schedule,
  scenarioNamed,
  scheduleInput,
  scoreDrill,
  trendOf,
} from '@cordon/drills';
import { type Actor, authorize, type Clock, type Database, isAllowed } from '@cordon/kernel';
import { z } from 'zod';
import type { DrillParts } from '../roles/drill-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import {
  drillBody,
  drillDetail,
  quarterBody,
  scenarioDetail,
  scenarioSummary,
  scheduleBody,
  showDrill,
  showDrillWhole,
  showScenario,
  showScenarioWhole,
} from './drill-bodies.ts';
import { addDrillTargetRoutes } from './drill-target-routes.ts';
import { idParameter } from './estate-bodies.ts';

export interface DrillRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly drillParts: DrillParts;
}

const tags = ['drills'];
const YEARS_MS = 3 * 366 * 86_400_000;
const read = { config: { permission: 'drill.read' } } as const;
const run = { config: { permission: 'drill.run' } } as const;
/** By id or number. */
const refParameter = z.object({ id: z.string().regex(/^(\d{1,9}|[0-9a-f-]{36})$/) });
const reason = z.string().trim().min(3, 'say why').max(2_000);

const showSchedule = (one: Schedule): z.output<typeof scheduleBody> => ({
  ...one,
  participants: [...one.participants],
  remindDays: [...one.remindDays],
});

async function wholeOf(db: Database, drill: Drill, actor: Actor, now: number) {
  const [entries, objects] = [await listEntries(db, drill.id), await listObjects(db, drill.id)];
  const made = objects.map(({ kind, ref, name, madeAt, removedAt }) => ({ kind, ref, name, madeAt, removedAt }));
  return showDrillWhole(drill, entries, made, { leads: isAllowed(actor, 'drill.run'), now });
}

export function addDrillRoutes(server: ApiServer, deps: DrillRouteDeps): void {
  addScenarioRoutes(server, deps);
  addScheduleRoutes(server, deps);
  addDrillTargetRoutes(server, deps);
  addDrillReadRoutes(server, deps);
  addDrillCommandRoutes(server, deps);
}

function addScenarioRoutes(server: ApiServer, deps: DrillRouteDeps): void {
  server.get(
    '/api/v1/drill-scenarios',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(scenarioSummary) }) } } },
    async () => ({ items: [...deps.drillParts.scenarios.values()].map(showScenario) }),
  );
  server.get(
    '/api/v1/drill-scenarios/:name',
    { ...run, schema: { tags, params: z.object({ name: z.string().max(100) }), response: { 200: scenarioDetail } } },
    async (request) => showScenarioWhole(scenarioNamed(deps.drillParts.scenarios, request.params.name)),
  );
}

function addScheduleRoutes(server: ApiServer, deps: DrillRouteDeps): void {
  const { db } = deps;
  server.get(
    '/api/v1/drill-schedules',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(scheduleBody) }) } } },
    async () => ({ items: (await listSchedules(db)).map(showSchedule) }),
  );
  server.post(
    '/api/v1/drill-schedules',
    { ...run, schema: { tags, body: scheduleInput, response: { 201: scheduleBody } } },
    async (request, reply) =>
      reply.status(201).send(showSchedule(await deps.drillParts.schedules.add(actorOf(request), request.body))),
  );
  server.delete(
    '/api/v1/drill-schedules/:id',
    { ...run, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await deps.drillParts.schedules.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}

function addDrillReadRoutes(server: ApiServer, { db, clock }: DrillRouteDeps): void {
  server.get(
    '/api/v1/drills',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(DRILL_PAGE_MAX).default(50) }),
        response: { 200: z.object({ items: z.array(drillBody) }) },
      },
    },
    async (request) => {
      const leads = isAllowed(actorOf(request), 'drill.run');
      const items = (await listDrills(db, request.query)).map((one) => showDrill(one, clock.now()));
      return { items: items.map((one) => (leads || one.endedAt !== null ? one : { ...one, score: null })) };
    },
  );
  server.get(
    '/api/v1/drills/trend',
    { ...read, schema: { tags, response: { 200: z.object({ quarters: z.array(quarterBody) }) } } },
    async () => ({ quarters: trendOf(await listScored(db, clock.now() - YEARS_MS)) }),
  );
  server.get(
    '/api/v1/drills/:id',
    { ...read, schema: { tags, params: refParameter, response: { 200: drillDetail } } },
    async (request) => wholeOf(db, await loadDrill(db, request.params.id), actorOf(request), clock.now()),
  );
  server.get(
    '/api/v1/drills/:id/report',
    { ...read, schema: { tags, params: refParameter, response: { 200: z.object({ markdown: z.string() }) } } },
    async (request) => {
      const drill = await loadDrill(db, request.params.id);
      // Before its end the report would tell participants what is expected of them.
      if (drill.endedAt === null) authorize(actorOf(request), 'drill.run');
      const entries = await listEntries(db, drill.id);
      return { markdown: reportOf(drill, entries, drill.score ?? scoreDrill(drill, entries, NO_FACTS)) };
    },
  );
}

function addDrillCommandRoutes(server: ApiServer, { clock, drillParts: { drills } }: DrillRouteDeps): void {
  const show = (drill: Drill) => showDrill(drill, clock.now());
  const answer = { response: { 200: drillBody } };
  server.post(
    '/api/v1/drills',
    { ...run, schema: { tags, body: drillInput, response: { 201: drillBody } } },
    async (request, reply) => reply.status(201).send(show(await drills.create(actorOf(request), request.body))),
  );
  server.post(
    '/api/v1/drills/:id/start',
    { ...run, schema: { tags, params: idParameter, ...answer } },
    async (request) => show(await drills.start(actorOf(request), request.params.id)),
  );
  server.post(
    '/api/v1/drills/:id/abort',
    {
      config: { permission: 'drill.abort' },
      schema: { tags, params: idParameter, body: z.strictObject({ reason }), ...answer },
    },
    async (request) => show(await drills.stop(actorOf(request), request.params.id, { abort: true, ...request.body })),
  );
  server.post(
    '/api/v1/drills/:id/finish',
    { ...run, schema: { tags, params: idParameter, body: z.strictObject({ reason }), ...answer } },
    async (request) => show(await drills.stop(actorOf(request), request.params.id, { abort: false, ...request.body })),
  );
  server.post(
    '/api/v1/drills/:id/pause',
    { ...run, schema: { tags, params: idParameter, body: z.strictObject({ paused: z.boolean() }), ...answer } },
    async (request) => show(await drills.pause(actorOf(request), request.params.id, request.body.paused)),
  );
  server.post(
    '/api/v1/drills/:id/injects/:inject/release',
    { ...run, schema: { tags, params: idParameter.extend({ inject: z.string().max(100) }), ...answer } },
    async (request) => show(await drills.release(actorOf(request), request.params.id, request.params.inject)),
  );
  server.post(
    '/api/v1/drills/:id/responses',
    {
      config: { permission: 'drill.join' },
      schema: { tags, params: idParameter, body: responseInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await drills.respond(actorOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/drills/:id/actions',
    { ...run, schema: { tags, params: idParameter, body: actionInput, response: { 204: z.null() } } },
    async (request, reply) => {
      await drills.judge(actorOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/drills/:id/notes',
    { ...run, schema: { tags, params: idParameter, body: noteInput, response: { 204: z.null() } } },
    async (request, reply) => {
      await drills.note(actorOf(request), request.params.id, request.body);
      return reply.status(204).send(null);
    },
  );
  server.put(
    '/api/v1/drills/:id/lessons',
    { ...run, schema: { tags, params: idParameter, body: lessonsInput, ...answer } },
    async (request) => show(await drills.learn(actorOf(request), request.params.id, request.body)),
  );
}
