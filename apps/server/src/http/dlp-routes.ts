import {
  assignInput,
  countIncidents,
  decisionInput,
  foundClass,
  type Incident,
  INCIDENT_STATUSES,
  labelMapInput,
  labelSyncInput,
  listIncidents,
  listLabelNames,
  listNotes,
  listRemedies,
  listScans,
  listSchedules,
  loadIncident,
  loadScan,
  REMEDY_ACTIONS,
  REMEDY_STATUSES,
  type Remedy,
  remedyInput,
  type Scan,
  SCAN_MODES,
  SCAN_STATUSES,
  scanInput,
  scheduleInput,
} from '@cordon/dlp';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import type { DlpParts } from '../roles/dlp-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface DlpRouteDeps {
  readonly db: Database;
  readonly dlp: DlpParts;
}

const tags = ['dlp'];
const byId = z.strictObject({ id: z.string().min(1).max(200) });

const scanBody = z.object({
  id: z.string(),
  connectionId: z.string(),
  app: z.string(),
  name: z.string(),
  mode: z.enum(SCAN_MODES),
  enforce: z.boolean(),
  status: z.enum(SCAN_STATUSES),
  requestedBy: z.string(),
  requestedAt: z.int(),
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  error: z.string().nullable(),
  streams: z.array(
    z.object({
      stream: z.string(),
      status: z.string(),
      records: z.int(),
      /** Unchanged since the last scan, so not read again. */
      skipped: z.int(),
      files: z.int(),
      bytes: z.int(),
      /** Records with something that a rule does not allow. */
      found: z.int(),
      /** Files that could not be read, by reason. */
      unreadable: z.record(z.string(), z.int()),
      reason: z.string().nullable(),
    }),
  ),
});

const incidentBody = z.object({
  id: z.string(),
  /** `rest`: a record in a tool. `motion`: calls through the gateway. */
  source: z.enum(['rest', 'motion']),
  connectionId: z.string().nullable(),
  app: z.string(),
  object: z.string(),
  recordId: z.string(),
  title: z.string().nullable(),
  url: z.string().nullable(),
  sharing: z.string().nullable(),
  ownerId: z.string().nullable(),
  direction: z.string().nullable(),
  integrationId: z.string().nullable(),
  integrationName: z.string().nullable(),
  action: z.string(),
  rule: z.object({ id: z.string(), name: z.string() }),
  label: foundClass.shape.label,
  /** Masked evidence only. */
  classes: z.array(foundClass),
  found: z.int(),
  status: z.enum(INCIDENT_STATUSES),
  assignee: z.string().nullable(),
  scanId: z.string().nullable(),
  firstSeen: z.int(),
  lastSeen: z.int(),
  times: z.int(),
});

const remedyBody = z.object({
  id: z.string(),
  action: z.enum([...REMEDY_ACTIONS, 'undo']),
  status: z.enum(REMEDY_STATUSES),
  requestedBy: z.string(),
  requestedAt: z.int(),
  connectorAction: z.string().nullable(),
  actionRunId: z.string().nullable(),
  canUndo: z.boolean(),
  outcome: z.string().nullable(),
  reason: z.string().nullable(),
  evidence: z.unknown(),
  evidenceSha256: z.string().nullable(),
  endedAt: z.int().nullable(),
});
const noteBody = z.object({ at: z.int(), by: z.string(), what: z.string(), note: z.string().nullable() });

const driftBody = z.object({
  id: z.string(),
  app: z.string(),
  recordId: z.string(),
  title: z.string().nullable(),
  label: z.string(),
  /** The tool's own ids. */
  wanted: z.string(),
  has: z.string().nullable(),
});

const timeOf = (at: Date | null): number | null => at?.getTime() ?? null;
const scanOf = (scan: Scan) => ({
  ...scan,
  requestedAt: scan.requestedAt.getTime(),
  startedAt: timeOf(scan.startedAt),
  endedAt: timeOf(scan.endedAt),
  streams: scan.streams.map((stream) => ({ ...stream, unreadable: { ...stream.unreadable } })),
});
const incidentOf = (incident: Incident) => ({
  ...incident,
  classes: [...incident.classes],
  firstSeen: incident.firstSeen.getTime(),
  lastSeen: incident.lastSeen.getTime(),
});
const remedyOf = (remedy: Remedy) => ({
  ...remedy,
  requestedAt: remedy.requestedAt.getTime(),
  endedAt: timeOf(remedy.endedAt),
});

/** Scans of what lies in tools, the queue of what was found, and what is done about it. */
export function addDlpRoutes(server: ApiServer, deps: DlpRouteDeps): void {
  addScanRoutes(server, deps);
  addScheduleRoutes(server, deps);
  addQueueRoutes(server, deps);
  addRemedyRoutes(server, deps);
}

function addScanRoutes(server: ApiServer, { db, dlp }: DlpRouteDeps): void {
  server.get(
    '/api/v1/dlp/targets',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(
              z.object({ connectionId: z.string(), app: z.string(), name: z.string(), streams: z.array(z.string()) }),
            ),
          }),
        },
      },
    },
    async () => ({ items: await dlp.targets() }),
  );
  server.get(
    '/api/v1/dlp/scans',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        querystring: z.strictObject({ connectionId: z.string().max(200).optional() }),
        response: { 200: z.object({ items: z.array(scanBody) }) },
      },
    },
    async ({ query }) => ({
      items: (await listScans(db, query.connectionId === undefined ? {} : { connectionId: query.connectionId })).map(
        scanOf,
      ),
    }),
  );
  server.post(
    '/api/v1/dlp/scans',
    { config: { permission: 'dlp.write' }, schema: { tags, body: scanInput, response: { 202: scanBody } } },
    async (request, reply) => reply.code(202).send(scanOf(await dlp.scans.start(actorOf(request), request.body))),
  );
  server.get(
    '/api/v1/dlp/scans/:id',
    { config: { permission: 'dlp.read' }, schema: { tags, params: byId, response: { 200: scanBody } } },
    async ({ params }) => scanOf(await loadScan(db, params.id)),
  );
  server.post(
    '/api/v1/dlp/scans/:id/cancel',
    {
      config: { permission: 'dlp.write' },
      schema: { tags, params: byId, body: z.strictObject({}), response: { 204: z.null() } },
    },
    async (request, reply) => {
      await dlp.scans.cancel(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function addScheduleRoutes(server: ApiServer, { db, dlp }: DlpRouteDeps): void {
  server.get(
    '/api/v1/dlp/schedules',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(
              z.object({
                connectionId: z.string(),
                everyHours: z.int(),
                enforce: z.boolean(),
                nextAt: z.int(),
                setBy: z.string(),
              }),
            ),
          }),
        },
      },
    },
    async () => ({ items: (await listSchedules(db)).map((one) => ({ ...one, nextAt: one.nextAt.getTime() })) }),
  );
  server.put(
    '/api/v1/dlp/schedules/:id',
    {
      config: { permission: 'dlp.write' },
      schema: { tags, params: byId, body: scheduleInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await dlp.scans.setSchedule(actorOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
  server.delete(
    '/api/v1/dlp/schedules/:id',
    { config: { permission: 'dlp.write' }, schema: { tags, params: byId, response: { 204: z.null() } } },
    async (request, reply) => {
      await dlp.scans.removeSchedule(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function addQueueRoutes(server: ApiServer, { db, dlp }: DlpRouteDeps): void {
  server.get(
    '/api/v1/dlp/incidents',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        querystring: z.strictObject({
          status: z.enum(INCIDENT_STATUSES).optional(),
          app: z.string().max(200).optional(),
          scanId: z.string().max(200).optional(),
          source: z.enum(['rest', 'motion']).optional(),
          assignee: z.string().max(200).optional(),
          after: z.string().max(200).optional(),
        }),
        response: {
          200: z.object({
            items: z.array(incidentBody),
            counts: z.record(z.string(), z.int()),
            next: z.string().nullable(),
          }),
        },
      },
    },
    async ({ query: { status, ...query } }) => {
      const items = await listIncidents(db, { ...query, ...(status === undefined ? {} : { status: [status] }) });
      const last = items.at(-1);
      const next = last ? `${last.lastSeen.toISOString()}/${last.id}` : null;
      return { items: items.map(incidentOf), counts: await countIncidents(db), next };
    },
  );
  server.get(
    '/api/v1/dlp/incidents/:id',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        params: byId,
        response: { 200: incidentBody.extend({ notes: z.array(noteBody), remedies: z.array(remedyBody) }) },
      },
    },
    async ({ params: { id } }) => {
      const incident = await loadIncident(db, id);
      const [notes, remedies] = await Promise.all([listNotes(db, id), listRemedies(db, id)]);
      return {
        ...incidentOf(incident),
        notes: notes.map((note) => ({ ...note, at: note.at.getTime() })),
        remedies: remedies.map(remedyOf),
      };
    },
  );
  server.put(
    '/api/v1/dlp/incidents/:id/assignee',
    {
      config: { permission: 'dlp.decide' },
      schema: { tags, params: byId, body: assignInput, response: { 200: incidentBody } },
    },
    async (request) => incidentOf(await dlp.incidents.assign(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/dlp/incidents/:id/decisions',
    {
      // Deciding asks for `dlp.decide`; saying why, or asking to decide anew, is open to whoever answers for the data.
      config: { permission: 'dlp.justify' },
      schema: { tags, params: byId, body: decisionInput, response: { 200: incidentBody } },
    },
    async (request) => incidentOf(await dlp.incidents.decide(actorOf(request), request.params.id, request.body)),
  );
}

function addRemedyRoutes(server: ApiServer, { db, dlp }: DlpRouteDeps): void {
  server.post(
    '/api/v1/dlp/remedies',
    {
      config: { permission: 'dlp.remedy' },
      schema: { tags, body: remedyInput, response: { 202: z.object({ ids: z.array(z.string()) }) } },
    },
    async (request, reply) => {
      const { ids } = await dlp.incidents.remediate(actorOf(request), request.body);
      return reply.code(202).send({ ids: [...ids] });
    },
  );
  server.post(
    '/api/v1/dlp/remedies/:id/undo',
    {
      config: { permission: 'dlp.remedy' },
      schema: { tags, params: byId, body: z.strictObject({}), response: { 202: z.object({ id: z.string() }) } },
    },
    async (request, reply) => reply.code(202).send(await dlp.incidents.undo(actorOf(request), request.params.id)),
  );
  server.get(
    '/api/v1/dlp/labels',
    {
      config: { permission: 'dlp.read' },
      schema: {
        tags,
        response: {
          200: z.object({ items: z.array(labelMapInput.extend({ toolLabel: z.string(), setBy: z.string() })) }),
        },
      },
    },
    async () => ({
      items: z
        .array(labelMapInput.extend({ toolLabel: z.string(), setBy: z.string() }))
        .parse(await listLabelNames(db)),
    }),
  );
  server.put(
    '/api/v1/dlp/labels',
    { config: { permission: 'dlp.write' }, schema: { tags, body: labelMapInput, response: { 204: z.null() } } },
    async (request, reply) => {
      await dlp.incidents.nameLabel(actorOf(request), request.body);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/dlp/labels/sync',
    {
      // A dry run reads; acting asks for `dlp.remedy`, which the command checks.
      config: { permission: 'dlp.read' },
      schema: { tags, body: labelSyncInput, response: { 200: z.object({ items: z.array(driftBody) }) } },
    },
    async (request) => ({
      items: (await dlp.syncLabels(actorOf(request), request.body)).map(({ incident, wanted, has }) => {
        const { id, app, recordId, title, label } = incident;
        return { id, app, recordId, title, label, wanted, has };
      }),
    }),
  );
}
