import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor, uuidv7 } from '@cordon/kernel';
import { ThreatListInvalid, ThreatListUnknown } from './errors.ts';
import type { EnrichmentTables } from './tables.ts';
import { lifeIsFit, readThreatList, type ThreatListInput } from './threat-list.ts';
import { INDICATORS_MAX, LISTS_MAX, listThreatLists, type ThreatList } from './threat-store.ts';

/** Tells the worker that lists changed, or that a look back was asked for. */
export const THREATS_CHANNEL = 'cordon_threats';
const INSERT_ROWS = 10_000;
/** How far back a new list looks by itself. */
const SWEEP_MS = 30 * 86_400_000;

/** Threat lists: imported, renewed, looked for in what is stored, removed. Every change is audited. */
export function createThreatCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }) {
  const only = async (id: string): Promise<ThreatList> => {
    const found = (await listThreatLists(db)).find((one) => one.id === id);
    if (!found) throw new ThreatListUnknown('There is no such list.');
    return found;
  };
  return {
    /** A list of a name that is there replaces it whole. */
    async import(actor: Actor, input: ThreatListInput): Promise<ThreatList> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      if (!lifeIsFit(input.expiresAt, at)) {
        throw new ThreatListInvalid('A list ends in the future, at most five years from now.', { field: 'expiresAt' });
      }
      const { indicators, skipped } = readThreatList(input.format, input.text);
      const id = await db.transaction(async (tx) => {
        const lists = await listThreatLists(tx);
        const before = lists.find(({ name }) => name === input.name);
        if (!before && lists.length >= LISTS_MAX) throw new ThreatListInvalid(`There are ${LISTS_MAX} lists already.`);
        const others = lists.reduce((sum, one) => sum + (one.id === before?.id ? 0 : one.indicators), 0);
        if (others + indicators.length > INDICATORS_MAX) {
          throw new ThreatListInvalid(`All lists together hold at most ${INDICATORS_MAX} indicators.`);
        }
        const tables = tx.tables<EnrichmentTables>();
        if (before) await tables.deleteFrom('threat_list').where('id', '=', before.id).execute();
        const made = before?.id ?? uuidv7(at);
        const { name, source, meaning, format, expiresAt } = input;
        await tables
          .insertInto('threat_list')
          .values({
            id: made,
            name,
            source,
            meaning,
            format,
            indicators: indicators.length,
            skipped,
            expires_at: expiresAt,
            imported_at: at,
            imported_by: describeActor(actor).name,
            sweep_from: meaning === 'threat' ? at - SWEEP_MS : null,
            swept_at: null,
            sweep_found: null,
            sweep_error: null,
          })
          .execute();
        for (let from = 0; from < indicators.length; from += INSERT_ROWS) {
          const rows = indicators.slice(from, from + INSERT_ROWS).map((one) => ({
            list_id: made,
            kind: one.kind,
            value: one.value,
            note: one.note,
            expires_at: one.expiresAt,
          }));
          await tables.insertInto('threat_indicator').values(rows).execute();
        }
        const detail = { source, meaning, format, indicators: indicators.length, skipped, expiresAt };
        const action = before ? 'threat-list.replaced' : 'threat-list.imported';
        await appendAudit(tx, { actor, action, target: { type: 'threat-list', id: made, name }, detail, at });
        await tx.notify(THREATS_CHANNEL, made);
        return made;
      });
      return only(id);
    },

    /** Looks for a list's entries in what the lake took since a moment. */
    async sweep(actor: Actor, id: string, from: number): Promise<ThreatList> {
      authorize(actor, 'detection.write');
      const { name } = await only(id);
      const at = clock.now();
      await db.transaction(async (tx) => {
        await tx
          .tables<EnrichmentTables>()
          .updateTable('threat_list')
          .set({ sweep_from: from, swept_at: null, sweep_found: null, sweep_error: null })
          .where('id', '=', id)
          .execute();
        const target = { type: 'threat-list', id, name };
        await appendAudit(tx, { actor, action: 'threat-list.sweep_asked', target, detail: { from }, at });
        await tx.notify(THREATS_CHANNEL, id);
      });
      return only(id);
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const { name } = await only(id);
      const at = clock.now();
      await db.transaction(async (tx) => {
        await tx.tables<EnrichmentTables>().deleteFrom('threat_list').where('id', '=', id).execute();
        const target = { type: 'threat-list', id, name };
        await appendAudit(tx, { actor, action: 'threat-list.removed', target, at });
        await tx.notify(THREATS_CHANNEL, id);
      });
    },
  };
}
export type ThreatCommands = ReturnType<typeof createThreatCommands>;
