import {
  DEAD_LETTER_PAGE_MAX,
  listDeadLetters,
  listSources,
  loadSource,
  type SourceCommands,
  sourceInput,
  sourcePatch,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { deadLetterBody, sourceBody, sourceWithCredential } from './detection-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface SourceRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly sources: SourceCommands;
}

const tags = ['sources'];
const letterParameter = idParameter.extend({ letter: z.uuid() });

/** Where vendor events come from. The events themselves come in at the worker: docs/guide/sources.md. */
export function addSourceRoutes(server: ApiServer, { db, clock, sources }: SourceRouteDeps): void {
  server.get(
    '/api/v1/sources',
    {
      config: { permission: 'source.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(sourceBody) }) } },
    },
    async () => ({ items: await listSources(db, clock.now()) }),
  );
  server.post(
    '/api/v1/sources',
    {
      config: { permission: 'source.write' },
      schema: { tags, body: sourceInput, response: { 201: sourceWithCredential } },
    },
    async (request, reply) => reply.status(201).send(await sources.create(actorOf(request), request.body)),
  );
  server.get(
    '/api/v1/sources/:id',
    { config: { permission: 'source.read' }, schema: { tags, params: idParameter, response: { 200: sourceBody } } },
    async (request) => loadSource(db, request.params.id, clock.now()),
  );
  server.patch(
    '/api/v1/sources/:id',
    {
      config: { permission: 'source.write' },
      schema: { tags, params: idParameter, body: sourcePatch, response: { 200: sourceBody } },
    },
    async (request) => sources.update(actorOf(request), request.params.id, request.body),
  );
  server.delete(
    '/api/v1/sources/:id',
    { config: { permission: 'source.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await sources.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/sources/:id/credential',
    {
      config: { permission: 'source.write' },
      schema: { tags, params: idParameter, response: { 200: sourceWithCredential } },
    },
    async (request) => sources.rotate(actorOf(request), request.params.id),
  );
  server.get(
    '/api/v1/sources/:id/dead-letters',
    {
      config: { permission: 'source.read' },
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(DEAD_LETTER_PAGE_MAX).default(50) }),
        response: { 200: z.object({ items: z.array(deadLetterBody) }) },
      },
    },
    async (request) => ({ items: await listDeadLetters(db, request.params.id, request.query.limit) }),
  );
  server.post(
    '/api/v1/sources/:id/dead-letters/replay',
    {
      config: { permission: 'source.write' },
      schema: { tags, params: idParameter, response: { 202: z.object({ letters: z.int() }) } },
    },
    async (request, reply) =>
      reply.status(202).send({ letters: await sources.replay(actorOf(request), request.params.id) }),
  );
  server.delete(
    '/api/v1/sources/:id/dead-letters/:letter',
    { config: { permission: 'source.write' }, schema: { tags, params: letterParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await sources.discard(actorOf(request), request.params.id, request.params.letter);
      return reply.status(204).send(null);
    },
  );
}
