import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { detectorCatalogue, LABELS } from '@cordon/classifier';
import {
  listOwnDetectors,
  OWN_KINDS,
  type OwnContent,
  type OwnDetector,
  ownDetectorChange,
  type OwnDetectorCommands,
  ownDetectorInput,
  OwnDetectorInvalid,
  OwnDetectorUnknown,
  tryInput,
} from '@cordon/detectors';
import type { Database } from '@cordon/kernel';
import type { FileReader } from '@cordon/vendors';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';

export interface DetectorRouteDeps {
  readonly db: Database;
  readonly ownDetectors: OwnDetectorCommands;
  readonly fileReader: FileReader;
}

const tags = ['detectors'];
/** Five million values of twenty-odd bytes. */
const LIST_BYTES_MAX = 128 * 1024 * 1024;
const DOCUMENT_BYTES_MAX = 20 * 1024 * 1024;
const LINE_CHARS_MAX = 4_096;

const byId = z.strictObject({ id: z.string().min(1).max(200) });
const contentQuery = z.strictObject({
  /** Of a document: the smallest share of it that counts. */
  least: z.coerce.number().min(0.05).max(1).default(0.3),
});

const detectorBody = z.object({
  id: z.string(),
  name: z.string(),
  /** Class that findings have and rules name. */
  class: z.string(),
  kind: z.enum(OWN_KINDS),
  title: z.string(),
  label: z.enum(LABELS),
  category: z.string(),
  confidence: z.number(),
  enabled: z.boolean(),
  /** Terms, values or phrases; 0: nothing to look for was given yet. */
  count: z.int(),
  createdBy: z.string(),
  createdAt: z.int(),
  changedAt: z.int(),
});

function bodyOf({ sha256: _hash, keyId: _key, createdAt, changedAt, ...rest }: OwnDetector) {
  return {
    ...rest,
    class: `custom.${rest.name}`,
    createdAt: createdAt.getTime(),
    changedAt: changedAt.getTime(),
  };
}

const findingBody = z.object({
  type: z.string(),
  class: z.string(),
  category: z.string(),
  label: z.enum(LABELS),
  confidence: z.number(),
  /** Characters of the text, end exclusive. */
  start: z.int(),
  end: z.int(),
  reasons: z.array(z.string()),
});

/** One value a line; what is longer than any value is cut, and then too long to be kept. */
async function* linesOf(body: Readable): AsyncIterable<string> {
  for await (const line of createInterface({ input: body, crlfDelay: Infinity })) yield line.slice(0, LINE_CHARS_MAX);
}

async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > DOCUMENT_BYTES_MAX) {
      throw new OwnDetectorInvalid('The document is larger than 20 MiB.', { bytesMax: DOCUMENT_BYTES_MAX });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function documentOf(reader: FileReader, body: Readable, least: number): Promise<OwnContent> {
  const document = await reader.read(await bytesOf(body));
  if (document.kind === 'workbook') {
    throw new OwnDetectorInvalid('A workbook is no document: send its values as a list, one a line.');
  }
  return { kind: 'document', text: document.pages.join('\n'), least };
}

/** What the organisation looks for beside the shipped detectors. */
export function addDetectorRoutes(server: ApiServer, { db, ownDetectors, fileReader }: DetectorRouteDeps): void {
  const read = { config: { permission: 'data.read' } } as const;
  const write = { config: { permission: 'policy.write' } } as const;
  server.get(
    '/api/v1/detectors',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(detectorBody) }) } } },
    async () => ({ items: (await listOwnDetectors(db)).map(bodyOf) }),
  );
  server.get(
    '/api/v1/detectors/shipped',
    {
      ...read,
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(
              z.object({
                type: z.string(),
                description: z.string(),
                class: z.string(),
                category: z.string(),
                label: z.enum(LABELS),
              }),
            ),
          }),
        },
      },
    },
    async () => ({
      items: detectorCatalogue().map(({ type, description, class: name, category, label }) => ({
        type,
        description,
        class: name,
        category,
        label,
      })),
    }),
  );
  server.post(
    '/api/v1/detectors',
    { ...write, schema: { tags, body: ownDetectorInput, response: { 201: detectorBody } } },
    async (request, reply) => reply.code(201).send(bodyOf(await ownDetectors.create(actorOf(request), request.body))),
  );
  server.patch(
    '/api/v1/detectors/:id',
    { ...write, schema: { tags, params: byId, body: ownDetectorChange, response: { 200: detectorBody } } },
    async (request) => bodyOf(await ownDetectors.change(actorOf(request), request.params.id, request.body)),
  );
  server.delete(
    '/api/v1/detectors/:id',
    { ...write, schema: { tags, params: byId, response: { 204: z.null() } } },
    async (request, reply) => {
      await ownDetectors.remove(actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/api/v1/detectors/try',
    {
      ...read,
      schema: { tags, body: tryInput, response: { 200: z.object({ items: z.array(findingBody) }) } },
    },
    async (request) => {
      const { text } = request.body;
      const bytes = Buffer.from(text);
      const characters = (offset: number): number => bytes.toString('utf8', 0, offset).length;
      const found = await ownDetectors.try(actorOf(request), text);
      return {
        items: found.map(({ type, class: name, category, label, confidence, start, end, evidence }) => ({
          type,
          class: name,
          category,
          label,
          confidence,
          start: characters(start),
          end: characters(end),
          reasons: [...evidence.reasons],
        })),
      };
    },
  );
  // In a scope of its own: only here a body is a stream of bytes.
  server.register(async (scope) => {
    scope.addContentTypeParser('application/octet-stream', { bodyLimit: LIST_BYTES_MAX }, (_request, payload, done) =>
      done(null, payload),
    );
    scope.put(
      '/api/v1/detectors/:id/content',
      {
        ...write,
        bodyLimit: LIST_BYTES_MAX,
        schema: {
          tags,
          consumes: ['application/octet-stream'],
          params: byId,
          querystring: contentQuery,
          /** The bytes themselves: one value a line, or a document. */
          body: z.unknown(),
          response: { 200: detectorBody },
        },
      },
      async (request) => {
        const { id } = byId.parse(request.params);
        const { least } = contentQuery.parse(request.query);
        // The parser above hands the request itself on.
        const body = request.body as Readable;
        const detector = (await listOwnDetectors(db)).find((one) => one.id === id);
        if (!detector) throw new OwnDetectorUnknown('There is no such detector.', { id });
        const content: OwnContent =
          detector.kind === 'document'
            ? await documentOf(fileReader, body, least)
            : { kind: 'values', lines: linesOf(body) };
        return bodyOf(await ownDetectors.give(actorOf(request), id, content));
      },
    );
  });
}
