import { randomBytes } from 'node:crypto';
import { createSecretEnvelope, type SecretEnvelope } from '@cordon/kernel';
import type { BackupRecord } from './backup-record.ts';
import type { SourceStream } from './take-snapshot.ts';

const WORDS =
  'contact called about the renewal of their contract and asked for a price before the end of the month'.split(' ');

/** Numbers that look random and are the same each time (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A made-up customer list: about 500 bytes a record. `edition` changes what a record says. */
export function makeRecord(at: number, edition = 0): BackupRecord {
  const random = createRandom(at * 7_919 + edition);
  const text = Array.from({ length: 45 }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
  return {
    stream: 'contacts',
    object: 'contact',
    id: `C${String(at).padStart(8, '0')}`,
    parentId: null,
    title: `Contact ${at}`,
    updatedAt: new Date(Date.UTC(2026, 0, 1) + at * 1_000 + edition).toISOString(),
    content: {
      name: `Person ${at}`,
      email: `person.${at}@customer-${at % 997}.example`,
      phone: `+49 30 ${Math.floor(random() * 1e8)}`,
      stage: WORDS[at % WORDS.length] ?? '',
      amount: Math.floor(random() * 1e6) / 100,
      note: text,
      edition,
    },
    facts: null,
  };
}

export function streamOf(records: Iterable<BackupRecord>, mode: 'whole' | 'changes' = 'whole'): SourceStream {
  return {
    name: 'contacts',
    mode,
    async *records() {
      for (const record of records) yield { record };
    },
  };
}

export function createTestEnvelope(...older: readonly Buffer[]): SecretEnvelope & { readonly key: Buffer } {
  const key = randomBytes(32);
  return Object.assign(createSecretEnvelope({ keys: [key, ...older] }), { key });
}
