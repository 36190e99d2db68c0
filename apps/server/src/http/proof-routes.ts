import { Readable } from 'node:stream';
import type { Database } from '@cordon/kernel';
import {
  consistencyProof,
  encodeKey,
  findLog,
  latestCheckpoint,
  listWitnesses,
  loadLog,
  type MerkleLog,
  nodeReader,
  ProofNotFound,
  type WitnessCommands,
  witnessInput,
} from '@cordon/proof';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface ProofRouteDeps {
  readonly db: Database;
  readonly auditLog: MerkleLog;
  readonly witnesses: WitnessCommands;
}

const tags = ['proof'];
const text = 'text/plain; charset=utf-8';

const logBody = z.object({
  name: z.string(),
  origin: z.string(),
  /** The verifier key: what somebody who doesn't trust Cordon keeps. */
  key: z.string(),
  size: z.int(),
  checkpoint: z.object({ size: z.int(), signedAt: z.int(), note: z.string() }).nullable(),
});

const witnessBody = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  vkey: z.string(),
  logs: z.array(
    z.object({ log: z.string(), size: z.int(), cosignedAt: z.int().nullable(), error: z.string().nullable() }),
  ),
});

/** The Merkle log of the audit trail: its key, checkpoints, proofs and witnesses. */
export function addProofRoutes(server: ApiServer, { db, auditLog, witnesses }: ProofRouteDeps): void {
  const read = { config: { permission: 'audit.read' } } as const;
  const write = { config: { permission: 'system.write' } } as const;
  const { name } = auditLog;

  server.get(
    '/api/v1/proof',
    {
      ...read,
      schema: { tags, response: { 200: z.object({ log: logBody.nullable(), witnesses: z.array(witnessBody) }) } },
    },
    async () => {
      const log = await findLog(db, name);
      const checkpoint = await latestCheckpoint(db, name);
      const facts = log && { name, origin: log.key.name, key: encodeKey(log.key), size: log.size, checkpoint };
      return { log: facts, witnesses: (await listWitnesses(db)).map((one) => ({ ...one, logs: [...one.logs] })) };
    },
  );
  server.get('/api/v1/proof/checkpoint', { ...read, schema: { tags } }, async (_request, reply) => {
    const checkpoint = await latestCheckpoint(db, name);
    if (!checkpoint) throw new ProofNotFound('Nothing was signed yet. The first checkpoint comes within seconds.', {});
    return reply.type(text).send(checkpoint.note);
  });
  server.get(
    '/api/v1/proof/records/:seq',
    { ...read, schema: { tags, params: z.object({ seq: z.coerce.number().int().positive() }) } },
    async (request, reply) => reply.type(text).send(await auditLog.proveRecord(request.params.seq)),
  );
  server.get(
    '/api/v1/proof/consistency',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({ from: z.coerce.number().int().min(0), to: z.coerce.number().int().min(0) }),
        response: { 200: z.object({ hashes: z.array(z.string()) }) },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      const { size } = await loadLog(db, name);
      if (to > size) throw new ProofNotFound(`The log holds ${size} records, not ${to}.`, { size });
      const hashes = await consistencyProof(from, to, nodeReader(db, name));
      return { hashes: hashes.map((hash) => hash.toString('base64')) };
    },
  );
  server.get('/api/v1/proof/export', { ...read, schema: { tags } }, async (_request, reply) => {
    async function* lines(): AsyncIterable<string> {
      for await (const line of auditLog.export()) yield `${line}\n`;
    }
    // The first line is read here: a log that isn't there is an answer of its own, not a broken file.
    await loadLog(db, name);
    return reply
      .type('application/x-ndjson')
      .header('content-disposition', 'attachment; filename="audit-trail.ndjson"')
      .send(Readable.from(lines()));
  });
  server.post(
    '/api/v1/proof/check',
    { ...read, schema: { tags, response: { 200: z.object({ records: z.int() }) } } },
    async () => auditLog.check(),
  );
  server.post(
    '/api/v1/proof/witnesses',
    { ...write, schema: { tags, body: witnessInput, response: { 201: z.object({ id: z.string() }) } } },
    async (request, reply) => reply.status(201).send(await witnesses.add(actorOf(request), request.body)),
  );
  server.delete(
    '/api/v1/proof/witnesses/:id',
    { ...write, schema: { tags, params: z.object({ id: z.uuid() }), response: { 204: z.null() } } },
    async (request, reply) => {
      await witnesses.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}
