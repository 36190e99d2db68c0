import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor } from '@cordon/kernel';
import type { ActionTable } from '../actions/action.ts';
import { checkPlaybook, type PlaybookProblem, type SchemaCheck } from '../cacao/check-playbook.ts';
import { parsePlaybook, type Playbook, readPlaybook, writePlaybook } from '../cacao/playbook.ts';
import { neededInputs } from '../cacao/variables.ts';
import { createSchemaCheck } from '../cacao/schema-check.ts';
import { PlaybookInvalid, PlaybookUnknown } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';

const OWN_MAX = 1_000;

export interface PlaybookSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly types: readonly string[];
  readonly origin: 'product' | 'own';
  readonly modified: string;
  readonly steps: number;
  readonly errors: number;
  readonly warnings: number;
  /** Names under which detections ask for it. */
  readonly triggers: readonly string[];
}

export const TRIGGER_LABEL = 'cordon-trigger:';

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Names under which detections ask for a playbook: labels such as `cordon-trigger:secure-account`. */
export function triggersOf({ labels = [] }: Playbook): string[] {
  return labels.filter((label) => label.startsWith(TRIGGER_LABEL)).map((label) => label.slice(TRIGGER_LABEL.length));
}

/** The playbooks of the product, read once from `content/playbooks`. A file that isn't one is an error of the build. */
export function loadReadyPlaybooks(folder: string): Playbook[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readPlaybook(readFileSync(join(folder, name), 'utf8')));
}

export interface LibraryContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly actions: ActionTable;
  /** `content/playbooks`. */
  readonly folder: string;
}

/** All playbooks: the product's and the organisation's own; an own one with the same id stands in for the product's. */
export function createPlaybookLibrary({ db, clock, actions, folder }: LibraryContext) {
  const ready = new Map(loadReadyPlaybooks(folder).map((one) => [one.id, one]));
  const schema: SchemaCheck = createSchemaCheck(join(folder, 'schemas'));

  const own = async (id: string): Promise<Playbook | null> => {
    const row = await db
      .tables<IncidentTables>()
      .selectFrom('playbook')
      .select('document')
      .where('id', '=', id)
      .executeTakeFirst();
    return row ? readPlaybook(row.document) : null;
  };
  const find = async (id: string): Promise<Playbook | null> => (await own(id)) ?? ready.get(id) ?? null;
  const everything = async () => {
    const rows = await db.tables<IncidentTables>().selectFrom('playbook').select('document').limit(OWN_MAX).execute();
    const mine = rows.map(({ document }) => readPlaybook(document));
    const taken = new Set(mine.map(({ id }) => id));
    return [
      ...mine.map((playbook) => ({ playbook, origin: 'own' as const })),
      ...[...ready.values()]
        .filter(({ id }) => !taken.has(id))
        .map((playbook) => ({ playbook, origin: 'product' as const })),
    ];
  };
  const check = (value: unknown): PlaybookProblem[] => {
    let playbook: Playbook;
    try {
      playbook = parsePlaybook(value);
    } catch (error) {
      if (!(error instanceof PlaybookInvalid)) throw error;
      return [{ level: 'error', code: 'not_cacao', step: null, message: error.message }];
    }
    return checkPlaybook(playbook, { schema, actions });
  };
  const checked = new WeakMap<Playbook, PlaybookProblem[]>();

  return {
    check,
    find,
    async load(id: string): Promise<{ playbook: Playbook; origin: 'product' | 'own' }> {
      const mine = await own(id);
      const playbook = mine ?? ready.get(id);
      if (!playbook) throw new PlaybookUnknown('There is no such playbook.', { id });
      return { playbook, origin: mine ? 'own' : 'product' };
    },
    /** By id, name or the name under which detections ask for it. */
    async resolve(ref: string): Promise<Playbook> {
      const all = (await everything()).map(({ playbook }) => playbook);
      const lower = ref.toLowerCase();
      const found =
        all.find(({ id }) => id === ref) ??
        all.find(({ name }) => name.toLowerCase() === lower) ??
        all.find((one) => triggersOf(one).includes(lower));
      if (!found) throw new PlaybookUnknown(`There is no playbook ${ref}.`, { ref });
      return found;
    },
    /** Of those that answer to a trigger the first for which everything is known that it needs; else the first. */
    async findByTrigger(trigger: string, known: readonly string[] = []): Promise<Playbook | null> {
      // What a playbook is for stands first among its labels, what else it can help with after that.
      const rank = (one: Playbook): number => triggersOf(one).indexOf(trigger);
      const asked = (await everything())
        .map(({ playbook }) => playbook)
        .filter((one) => rank(one) >= 0)
        .toSorted((a, b) => rank(a) - rank(b));
      const fits = (one: Playbook): boolean => neededInputs(one).every((name) => known.includes(name));
      return asked.find(fits) ?? asked[0] ?? null;
    },
    async list(): Promise<PlaybookSummary[]> {
      return (await everything())
        .map(({ playbook, origin }) => {
          const problems = checked.get(playbook) ?? checkPlaybook(playbook, { schema, actions });
          checked.set(playbook, problems);
          return {
            id: playbook.id,
            name: playbook.name,
            description: playbook.description ?? '',
            types: playbook.playbook_types ?? [],
            origin,
            modified: playbook.modified,
            steps: Object.keys(playbook.workflow).length,
            errors: problems.filter(({ level }) => level === 'error').length,
            warnings: problems.filter(({ level }) => level === 'warning').length,
            triggers: triggersOf(playbook),
          };
        })
        .sort((a, b) => a.name.localeCompare(b.name));
    },
    /** Stores a playbook of the organisation's own; one with errors is refused. */
    async put(actor: Actor, value: unknown): Promise<Playbook> {
      authorize(actor, 'playbook.write');
      const playbook = parsePlaybook(value);
      const problems = checkPlaybook(playbook, { schema, actions }).filter(({ level }) => level === 'error');
      if (problems.length > 0) {
        throw new PlaybookInvalid(`The playbook has ${problems.length} errors: ${problems[0]?.message ?? ''}`, {
          problems,
        });
      }
      const document = writePlaybook(playbook);
      const at = clock.now();
      const row = {
        name: playbook.name,
        document,
        digest: digestOf(document),
        updated_at: at,
        updated_by: describeActor(actor).name,
      };
      await db.transaction(async (tx) => {
        await tx
          .tables<IncidentTables>()
          .insertInto('playbook')
          .values({ id: playbook.id, ...row })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
          .execute();
        const target = { type: 'playbook', id: playbook.id, name: playbook.name };
        await appendAudit(tx, { actor, action: 'playbook.saved', target, detail: { sha256: row.digest }, at });
      });
      return playbook;
    },
    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'playbook.write');
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<IncidentTables>()
          .deleteFrom('playbook')
          .where('id', '=', id)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new PlaybookUnknown('There is no own playbook with this id.');
        const target = { type: 'playbook', id, name: row.name };
        await appendAudit(tx, { actor, action: 'playbook.removed', target, at: clock.now() });
      });
    },
  };
}

export type PlaybookLibrary = ReturnType<typeof createPlaybookLibrary>;
