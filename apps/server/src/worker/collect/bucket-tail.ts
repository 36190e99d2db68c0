import {
  type Collect,
  dropPosition,
  type FilePosition,
  readPositions,
  savePosition,
  sealContext,
  type SourceCredential,
} from '@cordon/detection';
import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { openGuardedS3 } from '../forward-send.ts';
import type { SourceIngest } from '../source-ingest.ts';
import { CollectRefused, takeContent, WHOLE_BYTES_MAX } from './file-tail.ts';

/** Under one prefix; whoever has more names a longer one, such as the account and region. */
const OBJECTS_MAX = 100_000;
/** So that a backlog doesn't keep the listing from being refreshed: the rest comes with the next round. */
const OBJECTS_A_ROUND_MAX = 500;

export interface BucketDeps {
  readonly db: Database;
  readonly ingest: SourceIngest;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
}

type BucketSettings = Extract<Collect, { kind: 's3' }>;

/**
 * Takes the objects under a prefix that were not taken yet, in the order of their names. An object is marked when all
 * of it is on disk; a stop in its middle has it read again, and its events count once by their ids. One that changed
 * its size is read again too.
 */
export async function tailBucket(
  deps: BucketDeps,
  source: SourceCredential,
  settings: BucketSettings,
  sealed: string | null,
): Promise<{ readonly taken: number; readonly waiting: number }> {
  const { db, envelope, clock } = deps;
  if (sealed === null) throw new CollectRefused('The secret key of the bucket is missing: set it again.');
  const secret = envelope.open(sealed, sealContext('event_source', source.id)).toString('utf8');
  const way = { privateAddresses: settings.privateAddresses, answerBytesMax: WHOLE_BYTES_MAX };
  // A prefix is the beginning of names, not a folder: the listing gets it as it stands.
  const store = openGuardedS3({ ...settings, prefix: '' }, secret, way, clock);
  const positions = await readPositions(db, source.id);
  const there = new Set<string>();
  const fresh: { name: string; bytes: number }[] = [];
  for await (const object of store.list(settings.prefix)) {
    if (there.size >= OBJECTS_MAX)
      throw new CollectRefused(`There are more than ${OBJECTS_MAX} objects: name a longer prefix.`);
    there.add(object.name);
    // What stands for a folder holds nothing.
    if (object.bytes === 0 || object.name.endsWith('/')) continue;
    if (positions.get(object.name)?.offset !== object.bytes) fresh.push(object);
  }
  const round = fresh.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, OBJECTS_A_ROUND_MAX);
  for (const { name, bytes } of round) {
    if (bytes > WHOLE_BYTES_MAX) throw new CollectRefused(`${name} holds more than ${WHOLE_BYTES_MAX} bytes.`);
    await takeContent(deps, source, { name, id: name, raw: await store.get(name) });
    const position: FilePosition = { inode: name, offset: bytes, head: '', done: true };
    await savePosition(db, { sourceId: source.id, item: name, position, now: clock.now() });
  }
  for (const name of positions.keys()) if (!there.has(name)) await dropPosition(db, source.id, name);
  return { taken: round.length, waiting: fresh.length - round.length };
}
