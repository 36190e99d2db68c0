import {
  ConnectorBusy,
  type Connectors,
  ConnectorsError,
  type LoadedManifest,
  type Manifests,
} from '@cordon/connectors';
import { type DlpTools, NotShown, type ReadRecord, type RecordPage, type RemedyAction } from '@cordon/dlp';
import type { Actor } from '@cordon/kernel';
import { z } from 'zod';

const SCANNER: Actor = { kind: 'system', name: 'data loss prevention' };
const KINDS: Readonly<Record<RemedyAction, readonly string[]>> = {
  redact: ['anonymise_record'],
  tokenise: ['anonymise_record'],
  unshare: ['unshare'],
  quarantine: ['unshare'],
  delete: ['delete_record'],
  label: ['set_label'],
};

const pageCursor = z.union([z.string(), z.number(), z.null()]);
const position = z.object({ outer: pageCursor, index: z.int(), inner: pageCursor });
const mark = z.object({ newestAt: z.number().optional(), token: z.string().optional() });

function markOf(raw: unknown): { newestAt?: number; token?: string } {
  const { newestAt, token } = mark.parse(raw ?? {});
  return { ...(newestAt !== undefined && { newestAt }), ...(token !== undefined && { token }) };
}

function wayOf(loaded: LoadedManifest, object: string, action: RemedyAction) {
  const found = Object.entries(loaded.manifest.actions).find(
    ([, spec]) => KINDS[action].includes(spec.kind) && spec.object === object && spec.fromRecord !== undefined,
  );
  return found ? { action: found[0], canUndo: found[1].undo.length > 0 } : null;
}

/** What the tool or its connector refuses; a run that is under way is tried again. */
const explained = (error: unknown): unknown =>
  error instanceof ConnectorsError && !(error instanceof ConnectorBusy)
    ? new NotShown(error.message, {}, error)
    : error;

/** Lets data loss prevention read and act through connectors. */
export function createDlpTools(
  connectors: Pick<Connectors, 'list' | 'readPages' | 'readFile' | 'runAction'>,
  manifests: Manifests,
): DlpTools {
  const appOf = new Map<string, string>();
  const list = async () => {
    const capabilities = await connectors.list(SCANNER);
    for (const { connection } of capabilities) appOf.set(connection.id, connection.app);
    return capabilities;
  };
  return {
    async list() {
      return (await list()).flatMap(({ connection, streams }) => {
        const loaded = manifests.find(connection.app);
        if (!loaded) return [];
        const names = streams.filter(({ emits }) => emits.includes('record')).map(({ name }) => name);
        const followed = names.filter((name) => loaded.manifest.streams[name]?.incremental !== undefined);
        return [
          {
            connectionId: connection.id,
            app: connection.app,
            name: connection.name,
            active: connection.status === 'active',
            streams: names,
            incremental: new Set(followed),
            way: (object: string, action: RemedyAction) => wayOf(loaded, object, action),
          },
        ];
      });
    },
    async *readPages(request): AsyncGenerator<RecordPage> {
      const options = {
        purpose: request.purpose,
        ...(request.position === undefined ? {} : { position: position.parse(request.position) }),
        ...(request.seen === undefined ? {} : { seen: markOf(request.seen) }),
        ...(request.mark === undefined ? {} : { mark: markOf(request.mark) }),
        ...(request.since === undefined ? {} : { since: request.since }),
      };
      try {
        for await (const page of connectors.readPages(SCANNER, request.connectionId, request.stream, options)) {
          const records = page.entities.flatMap((entity): ReadRecord[] =>
            entity.type === 'record' && !entity.deletedAt ? [entity] : [],
          );
          yield { records, position: page.position, seen: page.mark, problems: [...page.hidden, ...page.problems] };
        }
      } catch (error) {
        throw explained(error);
      }
    },
    async *readFile(connectionId, download) {
      try {
        yield* connectors.readFile(SCANNER, connectionId, download);
      } catch (error) {
        throw explained(error);
      }
    },
    async inputFor(connectionId, action, record) {
      if (!appOf.has(connectionId)) await list();
      const loaded = manifests.find(appOf.get(connectionId) ?? '');
      const spec = loaded?.manifest.actions[action];
      if (!loaded || spec?.fromRecord === undefined) return null;
      const input = await loaded.expression(spec.fromRecord).evaluate(record);
      const parsed = z.record(z.string(), z.unknown()).safeParse(input);
      const required = Object.entries(spec.input).filter(([, field]) => field.required);
      if (!parsed.success || required.some(([name]) => parsed.data[name] === undefined)) return null;
      return parsed.data;
    },
    async act({ key, undoOf, ...request }) {
      const wish = { ...request, idempotencyKey: key, ...(undoOf === undefined ? {} : { undoOf }) };
      const run = await connectors.runAction(SCANNER, wish).catch((error: unknown) => Promise.reject(explained(error)));
      return { runId: run.id, outcome: run.outcome, error: run.error };
    },
  };
}
