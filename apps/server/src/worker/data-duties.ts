import type { Classifier } from '@cordon/classifier';
import { type Connectors, type Entity, NotVisible, ToolFailed, ToolRefused } from '@cordon/connectors';
import { listApps, readBlob } from '@cordon/estate';
import {
  createInventory,
  ensureFingerprintKey,
  parseObservations,
  rewrapGovernanceSecrets,
  type SampledRecord,
  type SampledSchema,
  scan,
  sweepSubjectBundles,
  takeObservations,
} from '@cordon/governance';
import type { Actor, Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { createOperations } from '@cordon/openapi';
import { createDataContext } from '../roles/data-parts.ts';
import { repeat } from './repeating.ts';

const SCAN_MS = 60_000;
const DESCRIPTIONS_MS = 60_000;
/** How soon a new connection is looked at. */
const CONNECTIONS_MS = 10_000;
/** What was handed over to a person is forgotten when its time is over. */
const BUNDLES_MS = 3_600_000;
const SAMPLES_MS = 24 * 3_600_000;
/** Records of one stream that are looked at in a day. */
const SAMPLE_MAX = 200;
const SCANNER: Actor = { kind: 'system', name: 'data inventory' };
const PURPOSE = 'data inventory: field names and fingerprints, nothing kept';

export interface DataDuties {
  /** Takes a batch of a gateway's observations over; resolves when PostgreSQL has it. */
  take(key: string, body: Buffer): Promise<{ readonly taken: number; readonly refused: number }>;
  stop(): Promise<void>;
}

/** Keeps the inventory of data: what gateways tell, what descriptions say, what connectors show. */
export async function startDataDuties(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly connectors: Pick<Connectors, 'list' | 'readStream'>;
  readonly classifier?: Classifier;
}): Promise<DataDuties> {
  const { db, logger, connectors } = deps;
  const context = createDataContext(deps);
  const inventory = createInventory(context);
  await ensureFingerprintKey(context);
  const described = new Map<string, string>();
  const sampled = new Map<string, number>();

  const readDescriptions = async (): Promise<void> => {
    for (const app of await listApps(db)) {
      const sha256 = app.description?.sha256;
      if (sha256 === undefined || described.get(app.id) === sha256) continue;
      const blob = await readBlob(db, sha256);
      if (!blob) continue;
      await inventory.takeDescription({ id: app.id, name: app.name }, createOperations(blob));
      described.set(app.id, sha256);
    }
  };

  const readSamples = async (): Promise<void> => {
    let looked = 0;
    for (const { connection, streams } of await connectors.list(SCANNER)) {
      if (connection.status !== 'active') continue;
      const now = deps.clock.now();
      if (now - (sampled.get(connection.id) ?? -SAMPLES_MS) < SAMPLES_MS) continue;
      for (const { name, emits } of streams) {
        const isRecords = emits.includes('record');
        if (!isRecords && !emits.includes('schema')) continue;
        try {
          const options = { sample: SAMPLE_MAX, purpose: PURPOSE };
          const items = connectors.readStream(SCANNER, connection.id, name, options);
          if (isRecords) await inventory.takeSample(connection.app, records(items));
          else await inventory.takeSchemas(connection.app, await schemas(items));
        } catch (error) {
          // What a plan or a credential doesn't show is a gap in the inventory, and no failure of it.
          if (!(error instanceof NotVisible || error instanceof ToolRefused || error instanceof ToolFailed))
            throw error;
          logger.info(
            { connection: connection.id, stream: name, reason: error.message },
            'a stream could not be sampled',
          );
        }
      }
      sampled.set(connection.id, now);
      looked += 1;
    }
    if (looked > 0) await scan(context);
  };

  const duties = [
    repeat('data labels', SCAN_MS, logger, () => scan(context)),
    repeat('data descriptions', DESCRIPTIONS_MS, logger, readDescriptions),
    repeat('data samples', CONNECTIONS_MS, logger, readSamples),
    repeat('data keys', BUNDLES_MS, logger, async () => {
      while ((await rewrapGovernanceSecrets(context)) > 0);
    }),
    repeat('subject bundles', BUNDLES_MS, logger, () => sweepSubjectBundles(db, deps.clock.now())),
  ];
  return {
    async take(key, body) {
      const { lines, refused } = parseObservations(body.toString('utf8'));
      if (refused > 0) logger.error({ key, refused }, 'a gateway sent lines that are no observations');
      const { taken } = await takeObservations(context, key, lines);
      return { taken, refused };
    },
    async stop() {
      await Promise.all(duties.map((duty) => duty.stop()));
    },
  };
}

async function* records(items: AsyncIterable<{ readonly entity: Entity }>): AsyncGenerator<SampledRecord> {
  for await (const { entity } of items) {
    if (entity.type === 'record') yield entity;
  }
}

async function schemas(items: AsyncIterable<{ readonly entity: Entity }>): Promise<SampledSchema[]> {
  const found: SampledSchema[] = [];
  for await (const { entity } of items) {
    if (entity.type === 'schema') found.push({ object: entity.id, fields: entity.fields });
  }
  return found;
}
