import type { Transaction } from '@cordon/kernel';
import { type KeyDeps, keyContext } from './fingerprint-key.ts';
import { requestContext, targetContext } from './subject-store.ts';
import { tablesOf } from './tables.ts';

const ROWS_MAX = 500;

/**
 * Brings what is sealed here under the newest key: fingerprint keys, which gateways are told of again, and what subject
 * requests hold. Gives how many; call it again until it gives none.
 */
export async function rewrapGovernanceSecrets({ db, clock, envelope, publish }: KeyDeps): Promise<number> {
  return db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const old = `cse1.${envelope.currentKeyId}.%`;
    let rewrapped = 0;
    const keys = await tables
      .selectFrom('fingerprint_key')
      .select(['id', 'sealed'])
      .where('sealed', 'not like', old)
      .limit(ROWS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed: before } of keys) {
      const sealed = envelope.rewrap(before, keyContext(id));
      if (sealed === null) continue;
      await tables.updateTable('fingerprint_key').set({ sealed }).where('id', '=', id).execute();
      await publish(tx, { set: [[`fingerprint-key:${id}`, { id, sealed }]], at: clock.now() });
      rewrapped += 1;
    }
    return rewrapped + (await rewrapSubjects(tx, envelope, old));
  });
}

async function rewrapSubjects(tx: Transaction, envelope: KeyDeps['envelope'], old: string): Promise<number> {
  const tables = tablesOf(tx);
  let rewrapped = 0;
  const requests = await tables
    .selectFrom('subject_request')
    .select(['id', 'sealed'])
    .where('sealed', 'not like', old)
    .limit(ROWS_MAX)
    .forUpdate()
    .execute();
  for (const { id, sealed: before } of requests) {
    const sealed = before === null ? null : envelope.rewrap(before, requestContext(id));
    if (sealed === null) continue;
    await tables.updateTable('subject_request').set({ sealed }).where('id', '=', id).execute();
    rewrapped += 1;
  }
  const targets = await tables
    .selectFrom('subject_target')
    .select(['request_id', 'seq', 'sealed'])
    .where('sealed', 'not like', old)
    .limit(ROWS_MAX)
    .forUpdate()
    .execute();
  for (const { request_id, seq, sealed: before } of targets) {
    const sealed = before === null ? null : envelope.rewrap(before, targetContext(request_id, seq));
    if (sealed === null) continue;
    await tables
      .updateTable('subject_target')
      .set({ sealed })
      .where('request_id', '=', request_id)
      .where('seq', '=', seq)
      .execute();
    rewrapped += 1;
  }
  return rewrapped;
}
