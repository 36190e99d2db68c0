import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  uuidv7,
} from '@cordon/kernel';
import { TargetUnknown, WatchInputInvalid } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { type ForwardInput, type ForwardPatch, placeOf, plaintextRefusal, readSettings } from './forward.ts';
import { sealContext } from '../sealed.ts';
import { type ForwardTarget, listForwards } from './forward-store.ts';

const TARGETS_MAX = 50;

interface ForwardDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  /** Throws what a search would throw for the text. */
  readonly checkQuery: (query: string) => void;
}

/** Where events are forwarded to; every change is audited, and needs the right to write detection settings. */
export function createForwardCommands({ db, clock, envelope, checkQuery }: ForwardDeps) {
  return {
    async add(actor: Actor, input: ForwardInput): Promise<ForwardTarget> {
      authorize(actor, 'detection.write');
      checkQuery(input.query);
      const settings = readSettings(input.kind, input.settings);
      const refusal = plaintextRefusal(settings, input.privateAddresses);
      if (refusal !== null) throw new WatchInputInvalid(refusal, { field: 'settings' });
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        const known = await listForwards(tx);
        if (known.some((one) => one.name === input.name)) throw new WatchInputInvalid('The name is taken.');
        if (known.length >= TARGETS_MAX) throw new WatchInputInvalid(`There are ${TARGETS_MAX} targets already.`);
        await tx
          .tables<WatchTables>()
          .insertInto('forward_target')
          .values({
            id,
            name: input.name,
            kind: input.kind,
            query: input.query.trim(),
            settings: JSON.stringify(input.settings),
            sealed: 'secret' in input ? envelope.seal(input.secret, sealContext('forward_target', id)) : null,
            private_addresses: input.privateAddresses,
            position_at: input.from ?? at,
            created_at: at,
            created_by: describeActor(actor).name,
          })
          .execute();
        const detail = { kind: input.kind, place: placeOf(settings), query: input.query, from: input.from ?? at };
        const target = { type: 'forward-target', id, name: input.name };
        await appendAudit(tx, { actor, action: 'forward-target.created', target, detail, at });
      });
      return only(await listForwards(db), id);
    },

    async change(actor: Actor, id: string, patch: ForwardPatch): Promise<ForwardTarget> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const before = only(await listForwards(tx), id);
        await tx
          .tables<WatchTables>()
          .updateTable('forward_target')
          .set({
            status: patch.status ?? (before.status === 'paused' ? 'paused' : 'active'),
            // What a person changed is tried at once.
            next_at: at,
            ...(patch.from !== undefined && { position_at: patch.from, position_id: '' }),
          })
          .where('id', '=', id)
          .execute();
        const target = { type: 'forward-target', id, name: before.name };
        await appendAudit(tx, { actor, action: 'forward-target.changed', target, detail: { ...patch }, at });
      });
      return only(await listForwards(db), id);
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .deleteFrom('forward_target')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new TargetUnknown('There is no such target.');
        const target = { type: 'forward-target', id, name: row.name };
        await appendAudit(tx, { actor, action: 'forward-target.removed', target, at });
      });
    },
  };
}

function only(targets: readonly ForwardTarget[], id: string): ForwardTarget {
  const found = targets.find((one) => one.id === id);
  if (!found) throw new TargetUnknown('There is no such target.');
  return found;
}

export type ForwardCommands = ReturnType<typeof createForwardCommands>;
