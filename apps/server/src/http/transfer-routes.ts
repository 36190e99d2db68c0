import {
  exportDpv,
  LABELS,
  listTransfers,
  loadTaxonomy,
  type Transfer,
  TRANSFER_INSTRUMENTS,
  transferInput,
  transfersCsv,
} from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import type { DataRouteDeps } from './data-routes.ts';

const tags = ['data'];
const texts = z.array(z.string());
const text = z.string().nullable();

const transferBody = z.object({
  flowId: z.string(),
  exporter: z.string(),
  importer: text,
  integration: z.string(),
  source: z.string(),
  recipient: z.string(),
  fromRegion: text,
  toRegion: text,
  destination: z.enum(['eea', 'adequate', 'third', 'unknown']),
  /** What an adequacy decision is limited to. */
  note: text,
  subjects: texts,
  categories: texts,
  label: z.enum(LABELS),
  instrument: z.enum(TRANSFER_INSTRUMENTS).nullable(),
  article: text,
  assessment: text,
  safeguard: text,
  records: z.int(),
  lastSeen: z.int(),
  missing: texts,
});

const transferOf = (row: Transfer) => ({
  ...row,
  subjects: [...row.subjects],
  categories: [...row.categories],
  missing: [...row.missing],
  lastSeen: row.lastSeen.getTime(),
});

/** Transfers to third countries (Chapter V GDPR), and flows in the terms of the Data Privacy Vocabulary. */
export function addTransferRoutes(server: ApiServer, deps: DataRouteDeps & { readonly db: Database }): void {
  const { db, dataParts } = deps;
  const { regions, dpv } = loadTaxonomy();
  const config = { permission: 'data.read' } as const;
  server.get(
    '/api/v1/data/transfers',
    {
      config,
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(transferBody),
            /** What can be said to make a transfer lawful. */
            instruments: z.array(z.enum(TRANSFER_INSTRUMENTS)),
          }),
        },
      },
    },
    async () => ({
      items: (await listTransfers(db, regions)).map(transferOf),
      instruments: [...TRANSFER_INSTRUMENTS],
    }),
  );
  server.get(
    '/api/v1/data/transfers.csv',
    { config, schema: { tags, response: { 200: z.string() } } },
    async (_request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="transfers.csv"')
        .send(transfersCsv(await listTransfers(db, regions))),
  );
  server.put(
    '/api/v1/data/transfers/:flowId',
    {
      config: { permission: 'data.write' },
      schema: {
        tags,
        params: z.strictObject({ flowId: z.string().min(1).max(200) }),
        body: transferInput,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await dataParts.describeTransfer(actorOf(request), request.params.flowId, request.body);
      return reply.code(204).send(null);
    },
  );
  server.get(
    '/api/v1/data/dpv',
    {
      config,
      // JSON-LD: nodes have what their terms say.
      schema: {
        tags,
        response: {
          200: z.object({
            '@context': z.record(z.string(), z.string()),
            '@graph': z.array(z.record(z.string(), z.unknown())),
          }),
        },
      },
    },
    async () => {
      const document = await exportDpv(db, { terms: dpv, regions });
      return { '@context': { ...document['@context'] }, '@graph': document['@graph'].map((node) => ({ ...node })) };
    },
  );
}
