import { Readable } from 'node:stream';
import type { Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { encodeKey, findLog, latestCheckpoint, loadLog, type MerkleLog } from '@cordon/proof';
import { z } from 'zod';
import { checkLake } from '../lake-log.ts';
import type { ApiServer } from './api-type.ts';

export interface LakeProofRouteDeps {
  readonly db: Database;
  readonly lake: Lake;
  readonly lakeLog: MerkleLog;
}

const tags = ['proof'];

/** The Merkle log of what the lake took: proof.lake_batches switches it on. */
export function addLakeProofRoutes(server: ApiServer, { db, lake, lakeLog }: LakeProofRouteDeps): void {
  const read = { config: { permission: 'audit.read' } } as const;
  const { name } = lakeLog;

  server.get(
    '/api/v1/proof/lake',
    {
      ...read,
      schema: {
        tags,
        response: {
          200: z.object({
            log: z
              .object({
                origin: z.string(),
                key: z.string(),
                size: z.int(),
                checkpoint: z.object({ size: z.int(), signedAt: z.int(), note: z.string() }).nullable(),
              })
              .nullable(),
          }),
        },
      },
    },
    async () => {
      const log = await findLog(db, name);
      const checkpoint = await latestCheckpoint(db, name);
      return { log: log && { origin: log.key.name, key: encodeKey(log.key), size: log.size, checkpoint } };
    },
  );
  server.get(
    '/api/v1/proof/lake/records/:seq',
    { ...read, schema: { tags, params: z.object({ seq: z.coerce.number().int().positive() }) } },
    async (request, reply) =>
      reply.type('text/plain; charset=utf-8').send(await lakeLog.proveRecord(request.params.seq)),
  );
  server.get('/api/v1/proof/lake/export', { ...read, schema: { tags } }, async (_request, reply) => {
    async function* lines(): AsyncIterable<string> {
      for await (const line of lakeLog.export()) yield `${line}\n`;
    }
    await loadLog(db, name);
    return reply.type('application/x-ndjson').send(Readable.from(lines()));
  });
  server.post(
    '/api/v1/proof/lake/check',
    {
      ...read,
      schema: {
        tags,
        response: {
          200: z.object({
            leaves: z.int(),
            events: z.int(),
            deleted: z.int(),
            broken: z.array(
              z.object({
                leaf: z.int(),
                day: z.string(),
                expected: z.int(),
                found: z.int(),
                problem: z.enum(['removed', 'added', 'changed']),
              }),
            ),
          }),
        },
      },
    },
    async () => {
      await lakeLog.check();
      const found = await checkLake({ db, digests: lake.digests });
      return { ...found, broken: [...found.broken] };
    },
  );
}
