import { type Connectors, type Manifests, NotVisible, ToolRefused } from '@cordon/connectors';
import { ANONYMISED_TEXT, NotAvailable, type RetentionItemRead, type RetentionTools } from '@cordon/governance';
import type { Actor } from '@cordon/kernel';
import { createDlpTools } from './dlp-tools.ts';

const KEEPER: Actor = { kind: 'system', name: 'retention' };
const TEXTS = ['text', 'title', 'body', 'description', 'subject', 'name'] as const;
const KINDS = { delete: 'delete_record', anonymise: 'anonymise_record' } as const;

/** Lets retention read and act through connectors. */
export function createRetentionTools(
  connectors: Pick<Connectors, 'list' | 'readPages' | 'readStream' | 'readFile' | 'runAction'>,
  manifests: Manifests,
): RetentionTools {
  const tools = createDlpTools(connectors, manifests);
  return {
    async inputFor(connectionId, action, record) {
      // What an action writes in place of what there was; its expression takes of it what it needs.
      const texts = Object.fromEntries(TEXTS.map((name) => [name, ANONYMISED_TEXT]));
      return tools.inputFor(connectionId, action, { ...record, title: ANONYMISED_TEXT, content: texts });
    },
    async list() {
      const capabilities = await connectors.list(KEEPER);
      return capabilities
        .filter(({ connection }) => connection.status === 'active')
        .map(({ connection, streams, actions }) => ({
          connectionId: connection.id,
          app: connection.app,
          streams: streams.filter(({ emits }) => emits.includes('record')).map(({ name }) => name),
          way(object, action) {
            const spec = manifests.find(connection.app)?.manifest.actions ?? {};
            const found = actions.find(
              (one) => one.kind === KINDS[action] && one.object === object && spec[one.name]?.fromRecord !== undefined,
            );
            return found ? { action: found.name, input: found.input, canVerify: found.canVerify } : null;
          },
        }));
    },
    async *read(connectionId, stream, purpose): AsyncGenerator<RetentionItemRead> {
      try {
        for await (const { entity } of connectors.readStream(KEEPER, connectionId, stream, { purpose })) {
          if (entity.type === 'record' && !entity.deletedAt) yield entity;
        }
      } catch (error) {
        if (error instanceof NotVisible || error instanceof ToolRefused)
          throw new NotAvailable(error.message, {}, error);
        throw error;
      }
    },
    async act({ key, ...request }) {
      const run = await connectors.runAction(KEEPER, { ...request, mode: 'run', idempotencyKey: key });
      return { runId: run.id, outcome: run.outcome, error: run.error };
    },
    async verify({ key, ...request }) {
      const { outcome } = await connectors.runAction(KEEPER, { ...request, mode: 'verify', idempotencyKey: key });
      if (outcome === 'done' || outcome === 'already') return 'gone';
      return outcome === 'not_done' ? 'there' : 'unknown';
    },
  };
}
