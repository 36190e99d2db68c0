import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  changeSnapshot,
  createDelta,
  createSnapshot,
  encodeSigned,
  signDelta,
  type SigningKey,
  signSnapshot,
  type Snapshot,
  snapshotKeyId,
} from '@cordon/policy';
import type { Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { readChanges, SNAPSHOT_CHANNEL, type SnapshotPosition } from './publication.ts';
import { tablesOf } from './tables.ts';

/** Also without a notification, changes are seen after this long. */
const POLL_MS = 200;
const DELTAS_KEPT_MAX = 500;
const SUBSCRIBERS_MAX = 1_000;

/** Signed snapshot and deltas as control serves them to gateways. Every control process builds the same ones. */
export interface SnapshotService {
  position(): SnapshotPosition;
  /** The full signed snapshot, one line of JSON. */
  full(): string;
  /** Signed lines that lead on from a version: deltas when they are known, else the full snapshot. */
  since(version: number): readonly string[];
  /** Calls back with each new signed delta. */
  subscribe(onLine: (line: string) => void): () => void;
  /** PEM of the key that gateways must trust. */
  readonly publicKey: string;
  readonly current: () => Snapshot;
  /** Reads what was published; resolves when this process serves it. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

async function loadSigningKey(db: Database, envelope: SecretEnvelope, now: number): Promise<SigningKey> {
  const stored = async () =>
    tablesOf(db).selectFrom('snapshot_keys').selectAll().orderBy('created_at').limit(1).executeTakeFirst();
  let row = await stored();
  if (!row) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const keyId = snapshotKeyId(publicKey);
    const secret = privateKey.export({ type: 'pkcs8', format: 'der' });
    await db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      // Two control processes may start at once: the first one's key is everyone's.
      await tables.selectFrom('snapshot_state').select('version').forUpdate().execute();
      const existing = await tables.selectFrom('snapshot_keys').select('key_id').executeTakeFirst();
      if (existing) return;
      await tables
        .insertInto('snapshot_keys')
        .values({
          key_id: keyId,
          public_key: publicKey.export({ type: 'spki', format: 'pem' }),
          sealed_private: envelope.seal(secret, `snapshot-key:${keyId}`),
          created_at: new Date(now),
        })
        .execute();
    });
    row = await stored();
  }
  if (!row) throw new Error('the snapshot signing key was not stored');
  const der = envelope.open(row.sealed_private, `snapshot-key:${row.key_id}`);
  return { keyId: row.key_id, privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
}

export async function startSnapshotService(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly now: number;
}): Promise<SnapshotService> {
  const { db, logger } = deps;
  const key = await loadSigningKey(db, deps.envelope, deps.now);
  const publicKey = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' });
  const subscribers = new Set<(line: string) => void>();
  let deltas: { base: number; line: string }[] = [];
  let snapshot = createSnapshot({ version: 0, epoch: 0, createdAt: 0, entries: [] });
  let fullLine: { version: number; line: string } | null = null;
  let running: Promise<void> | null = null;
  let again = false;

  const readOnce = async (): Promise<void> => {
    const changes = await readChanges(db, snapshot.version);
    if (!changes) return;
    const present = new Set(changes.set.map(([key]) => key));
    const gone = changes.complete ? [...snapshot.entries.keys()].filter((key) => !present.has(key)) : changes.remove;
    const next = changeSnapshot(snapshot, {
      version: changes.version,
      epoch: changes.epoch,
      createdAt: changes.changedAt,
      set: changes.set,
      remove: gone,
    });
    const line = encodeSigned(signDelta(createDelta(snapshot, next), key));
    deltas.push({ base: snapshot.version, line });
    if (deltas.length > DELTAS_KEPT_MAX) deltas = deltas.slice(-DELTAS_KEPT_MAX);
    snapshot = next;
    for (const send of subscribers) send(line);
  };
  // One reader at a time; a call during a read gets a read that starts after it.
  const refresh = (): Promise<void> => {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        do {
          again = false;
          await readOnce();
        } while (again);
      } finally {
        running = null;
      }
    })();
    return running;
  };
  const refreshQuietly = (): void => {
    refresh().catch((error: unknown) => logger.warn({ err: error }, 'reading published changes failed; trying again'));
  };

  await refresh();
  // The first read is the whole estate, not a change.
  deltas = [];
  const listener = await db.listen(SNAPSHOT_CHANNEL, refreshQuietly);
  const poll = setInterval(refreshQuietly, POLL_MS);
  poll.unref();

  const full = (): string => {
    if (fullLine?.version !== snapshot.version) {
      fullLine = { version: snapshot.version, line: encodeSigned(signSnapshot(snapshot, key)) };
    }
    return fullLine.line;
  };
  return {
    publicKey,
    position: () => ({ version: snapshot.version, epoch: snapshot.epoch }),
    full,
    since(version) {
      if (version === snapshot.version) return [];
      const from = deltas.findIndex((delta) => delta.base === version);
      return from === -1 ? [full()] : deltas.slice(from).map((delta) => delta.line);
    },
    subscribe(onLine) {
      if (subscribers.size >= SUBSCRIBERS_MAX) throw new Error(`more than ${SUBSCRIBERS_MAX} gateways on one control`);
      subscribers.add(onLine);
      return () => subscribers.delete(onLine);
    },
    current: () => snapshot,
    refresh,
    async stop() {
      clearInterval(poll);
      await listener.stop();
      await running?.catch(() => undefined);
    },
  };
}
