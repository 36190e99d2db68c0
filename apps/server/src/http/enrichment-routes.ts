import {
  enrichmentState,
  LIST_FORMATS,
  LIST_MEANINGS,
  listThreatLists,
  readEnrichmentState,
  type ThreatCommands,
  threatListInput,
} from '@cordon/enrichment';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface EnrichmentRouteDeps {
  readonly db: Database;
  readonly threats: ThreatCommands;
}

const tags = ['enrichment'];
/** A list is sent whole. */
const LIST_BYTES_MAX = 50 * 1024 * 1024;
const write = { permission: 'detection.write' } as const;

const threatListBody = z.object({
  id: z.string(),
  name: z.string(),
  source: z.string(),
  meaning: z.enum(LIST_MEANINGS),
  format: z.enum(LIST_FORMATS),
  indicators: z.int(),
  /** Entries that can't be compared with one value. */
  skipped: z.int(),
  expiresAt: z.int(),
  importedAt: z.int(),
  importedBy: z.string(),
  sweep: z
    .object({
      from: z.int(),
      /** Null: it is still to be done. */
      doneAt: z.int().nullable(),
      found: z.int().nullable(),
      error: z.string().nullable(),
    })
    .nullable(),
});

/** What events are enriched from: files of networks, and threat lists that people import. */
export function addEnrichmentRoutes(server: ApiServer, { db, threats }: EnrichmentRouteDeps): void {
  server.get(
    '/api/v1/enrichment',
    {
      config: { permission: 'detection.read' },
      schema: { tags, response: { 200: z.object({ state: enrichmentState.nullable() }) } },
    },
    async () => ({ state: await readEnrichmentState(db) }),
  );
  server.get(
    '/api/v1/threat-lists',
    {
      config: { permission: 'detection.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(threatListBody) }) } },
    },
    async () => ({ items: await listThreatLists(db) }),
  );
  server.post(
    '/api/v1/threat-lists',
    {
      bodyLimit: LIST_BYTES_MAX,
      config: write,
      schema: { tags, body: threatListInput, response: { 201: threatListBody } },
    },
    async (request, reply) => reply.status(201).send(await threats.import(actorOf(request), request.body)),
  );
  server.post(
    '/api/v1/threat-lists/:id/sweep',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ from: z.int().nonnegative() }),
        response: { 200: threatListBody },
      },
    },
    async (request) => threats.sweep(actorOf(request), request.params.id, request.body.from),
  );
  server.delete(
    '/api/v1/threat-lists/:id',
    { config: write, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await threats.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
