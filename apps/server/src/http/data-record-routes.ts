import {
  exportFideslang,
  flowInput,
  LABELS,
  listProcessing,
  type ProcessingActivity,
  processingCsv,
} from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import type { DataRouteDeps } from './data-routes.ts';

const tags = ['data'];
const texts = z.array(z.string());

const activityBody = z.object({
  flowId: z.string(),
  activity: z.string(),
  purpose: z.string().nullable(),
  legalBasis: z.string().nullable(),
  subjects: texts,
  categories: texts,
  label: z.enum(LABELS),
  source: z.string(),
  recipient: z.string(),
  vendor: z.string().nullable(),
  fromRegion: z.string().nullable(),
  toRegion: z.string().nullable(),
  isTransfer: z.boolean(),
  safeguard: z.string().nullable(),
  erasure: texts,
  evidence: z.enum(['inline', 'inferred', 'possible']),
  records: z.int(),
  lastSeen: z.int(),
  missing: texts,
});

const activityOf = (row: ProcessingActivity) => ({
  ...row,
  subjects: [...row.subjects],
  categories: [...row.categories],
  erasure: [...row.erasure],
  missing: [...row.missing],
  lastSeen: row.lastSeen.getTime(),
});

/** What flows are for, and what an authority asks: the record of processing activities, and a fideslang manifest. */
export function addDataRecordRoutes(server: ApiServer, deps: DataRouteDeps & { readonly db: Database }): void {
  const { db, dataParts } = deps;
  server.put(
    '/api/v1/data/flows/:id',
    {
      config: { permission: 'data.write' },
      schema: {
        tags,
        params: z.strictObject({ id: z.string().min(1).max(200) }),
        body: flowInput,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await dataParts.describeFlow(actorOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
  server.get(
    '/api/v1/data/processing',
    {
      config: { permission: 'data.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(activityBody) }) } },
    },
    async () => ({ items: (await listProcessing(db)).map(activityOf) }),
  );
  server.get(
    '/api/v1/data/processing.csv',
    { config: { permission: 'data.read' }, schema: { tags, response: { 200: z.string() } } },
    async (_request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="processing.csv"')
        .send(processingCsv(await listProcessing(db))),
  );
  server.get(
    '/api/v1/data/fideslang',
    {
      config: { permission: 'data.read' },
      // The manifest's form is fideslang's, and recursive.
      schema: { tags, response: { 200: z.object({ dataset: z.array(z.unknown()), system: z.array(z.unknown()) }) } },
    },
    async () => {
      const { dataset, system } = await exportFideslang(db);
      return { dataset: [...dataset], system: [...system] };
    },
  );
}
