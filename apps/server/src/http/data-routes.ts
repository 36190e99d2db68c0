import {
  type DataSet,
  type LabelChange,
  LABELS,
  listFields,
  listFlows,
  listSets,
  listSpreads,
  pinInput,
  placeInput,
  PRINT_KINDS,
} from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import type { DataParts } from '../roles/data-parts.ts';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface DataRouteDeps {
  readonly dataParts: DataParts;
}

const label = z.enum(LABELS);
const name = z.string().min(1).max(200);
const reasons = z.array(z.object({ because: z.string(), text: z.string(), label }));
const place = z.object({ app: z.string(), object: z.string() });

const setBody = z.object({
  app: z.string(),
  object: z.string(),
  label,
  labelReasons: reasons,
  pinnedLabel: label.nullable(),
  /** Sightings, not distinct records. */
  records: z.int(),
  fields: z.int(),
  /** fideslang keys. */
  categories: z.array(z.string()),
  region: z.string().nullable(),
  vendor: z.string().nullable(),
  firstSeen: z.int(),
  lastSeen: z.int(),
});

const fieldBody = z.object({
  path: z.string(),
  type: z.string().nullable(),
  category: z.string(),
  /** `name`, or the detector whose findings decided. */
  categoryFrom: z.string(),
  subject: z.string().nullable(),
  label,
  labelReasons: reasons,
  pinnedLabel: label.nullable(),
  samples: z.int(),
  /** Detector type to findings. */
  detections: z.record(z.string(), z.int()),
  sources: z.record(z.string(), z.int()),
  firstSeen: z.int(),
  lastSeen: z.int(),
});

const flowBody = z.object({
  id: z.string(),
  from: place,
  to: place,
  integration: z.object({ id: z.string(), name: z.string() }),
  how: z.enum(['inline', 'inferred', 'possible']),
  fields: z.record(z.string(), z.number()),
  categories: z.array(z.string()),
  label,
  records: z.int(),
  bytes: z.int(),
  calls: z.int(),
  regions: z.object({ from: z.string().nullable(), to: z.string().nullable() }),
  vendor: z.string().nullable(),
  purpose: z.string().nullable(),
  legalBasis: z.string().nullable(),
  safeguard: z.string().nullable(),
  firstSeen: z.int(),
  lastSeen: z.int(),
});

const spreadBody = z.object({
  print: z.string(),
  kind: z.string(),
  apps: z.array(z.string()),
  places: z.int(),
  firstSeen: z.int(),
  lastSeen: z.int(),
  /** Apps where it is though they are below its label. */
  below: z.array(z.string()),
});

const placeBody = z.object({
  app: z.string(),
  object: z.string(),
  label,
  direction: z.string(),
  integrationId: z.string(),
  firstSeen: z.int(),
  lastSeen: z.int(),
  seen: z.int(),
});

const changeBody = z.object({
  id: z.string(),
  app: z.string(),
  object: z.string(),
  path: z.string().nullable(),
  from: label,
  to: label.nullable(),
  reason: z.string(),
  status: z.enum(['waiting', 'applied', 'refused']),
  requestedBy: z.string(),
  requestedAt: z.int(),
  decidedBy: z.string().nullable(),
  decidedAt: z.int().nullable(),
});

const tags = ['data'];

const seen = <T extends { readonly firstSeen: Date; readonly lastSeen: Date }>(one: T) => ({
  ...one,
  firstSeen: one.firstSeen.getTime(),
  lastSeen: one.lastSeen.getTime(),
});
const setOf = (set: DataSet) => ({
  ...seen(set),
  labelReasons: [...set.labelReasons],
  categories: [...set.categories],
});
const changeOf = (change: LabelChange) => ({
  ...change,
  requestedAt: change.requestedAt.getTime(),
  decidedAt: change.decidedAt?.getTime() ?? null,
});

/** Data sets, fields and flows; labels and who decides about them; where one record is. */
export function addDataRoutes(server: ApiServer, deps: DataRouteDeps & { readonly db: Database }): void {
  addMapRoutes(server, deps);
  addLabelRoutes(server, deps);
  addSpreadRoutes(server, deps);
}

function addMapRoutes(server: ApiServer, { db }: { readonly db: Database }): void {
  const filter = z.strictObject({
    app: name.optional(),
    label: label.optional(),
    category: name.optional(),
    region: name.optional(),
    vendor: name.optional(),
  });
  server.get(
    '/api/v1/data/sets',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        querystring: filter.extend({ after: z.string().max(401).optional() }),
        response: { 200: z.object({ items: z.array(setBody) }) },
      },
    },
    async (request) => ({ items: (await listSets(db, request.query)).map(setOf) }),
  );
  server.get(
    '/api/v1/data/fields',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        querystring: z.strictObject({ app: name, object: name }),
        response: { 200: z.object({ items: z.array(fieldBody) }) },
      },
    },
    async ({ query }) => ({
      items: (await listFields(db, query.app, query.object)).map((field) => ({
        ...seen(field),
        labelReasons: [...field.labelReasons],
      })),
    }),
  );
  server.get(
    '/api/v1/data/flows',
    {
      config: { permission: 'data.read' },
      schema: { tags, querystring: filter, response: { 200: z.object({ items: z.array(flowBody) }) } },
    },
    async (request) => ({
      items: (await listFlows(db, request.query)).map((flow) => ({ ...seen(flow), categories: [...flow.categories] })),
    }),
  );
}

function addLabelRoutes(server: ApiServer, { dataParts: { labels } }: DataRouteDeps): void {
  server.get(
    '/api/v1/data/label-changes',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        querystring: z.strictObject({ status: z.enum(['waiting', 'applied', 'refused']).optional() }),
        response: { 200: z.object({ items: z.array(changeBody) }) },
      },
    },
    async (request) => ({ items: (await labels.changes(actorOf(request), request.query.status)).map(changeOf) }),
  );
  server.post(
    '/api/v1/data/labels',
    { config: { permission: 'data.label' }, schema: { tags, body: pinInput, response: { 200: changeBody } } },
    async (request) => changeOf(await labels.pin(actorOf(request), request.body)),
  );
  server.post(
    '/api/v1/data/label-changes/:id/decide',
    {
      config: { permission: 'data.label_approve' },
      schema: {
        tags,
        params: z.strictObject({ id: name }),
        body: z.strictObject({ granted: z.boolean() }),
        response: { 200: changeBody },
      },
    },
    async (request) => changeOf(await labels.decide(actorOf(request), request.params.id, request.body.granted)),
  );
  server.put(
    '/api/v1/data/places/:app',
    {
      config: { permission: 'data.write' },
      schema: { tags, params: z.strictObject({ app: name }), body: placeInput, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await labels.setPlace(actorOf(request), request.params.app, request.body);
      return reply.code(204).send(null);
    },
  );
}

function addSpreadRoutes(server: ApiServer, { db, dataParts }: DataRouteDeps & { readonly db: Database }): void {
  const { inventory, fingerprints } = dataParts;
  server.get(
    '/api/v1/data/spreads',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        querystring: z.strictObject({
          app: name.optional(),
          apps: z.coerce.number().int().min(1).max(100).default(2),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: z.object({ items: z.array(spreadBody) }) },
      },
    },
    async ({ query: { app, apps, limit } }) => ({
      items: (await listSpreads(db, { app, appsMin: apps, limit })).map((spread) => ({
        ...seen(spread),
        apps: [...spread.apps],
        below: [...spread.below],
      })),
    }),
  );
  // A body and not a query: an identifier has no place in an address that logs keep.
  server.post(
    '/api/v1/data/find',
    {
      config: { permission: 'data.find' },
      schema: {
        tags,
        body: z.strictObject({ identifier: z.string().min(6).max(320), kind: z.enum(PRINT_KINDS).optional() }),
        response: { 200: z.object({ print: z.string(), kind: z.string(), places: z.array(placeBody) }) },
      },
    },
    async (request) => {
      const { identifier, kind } = request.body;
      const found = await inventory.findSpread(actorOf(request), identifier, kind);
      return { ...found, places: found.places.map(seen) };
    },
  );
  server.get(
    '/api/v1/data/overlaps',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            apps: z.array(z.object({ app: z.string(), records: z.int() })),
            pairs: z.array(z.object({ a: z.string(), b: z.string(), records: z.int() })),
            documents: z.array(z.object({ a: place, b: place, likeness: z.number() })),
          }),
        },
      },
    },
    async (request) => ({
      ...(await inventory.overlaps(actorOf(request))),
      documents: await inventory.nearDuplicates(actorOf(request)),
    }),
  );
  server.post(
    '/api/v1/data/forget',
    {
      config: { permission: 'data.write' },
      schema: {
        tags,
        body: z.strictObject({ print: z.string().regex(/^[\w-]{22}$/) }),
        response: { 200: z.object({ forgotten: z.int() }) },
      },
    },
    async (request) => fingerprints.forget(actorOf(request), Buffer.from(request.body.print, 'base64url')),
  );
  server.post(
    '/api/v1/data/fingerprint-key/rotate',
    {
      config: { permission: 'data.write' },
      schema: { tags, body: z.strictObject({}), response: { 200: z.object({ id: z.string() }) } },
    },
    async (request) => fingerprints.rotate(actorOf(request)),
  );
}
