import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
} from '@cordon/kernel';
import { z } from 'zod';
import type { Drill, DrillTarget } from './drill.ts';
import { DrillInputInvalid, TargetUnknown } from './errors.ts';
import type { Victim } from './ports.ts';
import type { Inject, Scenario } from './scenario.ts';
import type { DrillTables } from './tables.ts';

const TARGETS_MAX = 100;
/** So many other reads an app must have, for the thief is noticed by being refused different things. */
export const PROBES_MIN = 5;
const PROBES_MAX = 20;

export const targetInput = z.strictObject({
  /** The app, by name. */
  app: z.string().trim().min(1).max(100),
  /** What the drill's integration is granted: one read of the app's description. */
  operation: z.string().trim().min(1).max(300),
  /** A path of it that answers 200. */
  path: z
    .string()
    .max(500)
    .regex(/^\/[\w./~%-]*(\?[\w.~%&=-]*)?$/, 'a path with its query, such as /repos/acme/shop/issues'),
  /** Why it is no harm to use a stolen token there. */
  reason: z.string().trim().min(3, 'say why').max(2_000),
});

export interface TargetApp {
  readonly id: string;
  readonly name: string;
  readonly operations: readonly { readonly id: string; readonly method: string; readonly path: string }[];
}
/** What marking an app needs of the estate. */
export interface TargetApps {
  find(name: string): Promise<TargetApp | null>;
}

export interface MarkedTarget extends DrillTarget {
  readonly reason: string;
  readonly madeAt: number;
  readonly madeBy: string;
}

export async function listTargets(db: Queryable): Promise<MarkedTarget[]> {
  const rows = await db
    .tables<DrillTables>()
    .selectFrom('drill_target')
    .selectAll()
    .orderBy('app')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map((row) => ({
    appId: row.app_id,
    app: row.app,
    operation: row.operation,
    path: row.path,
    reason: row.reason,
    madeAt: row.made_at,
    madeBy: row.made_by,
  }));
}

/** Throws `TargetUnknown` for an app that isn't marked: nothing of the estate is a target by itself. */
export async function markedTarget(db: Queryable, app: string): Promise<DrillTarget> {
  const found = (await listTargets(db)).find((one) => one.app === app || one.appId === app);
  if (!found) throw new TargetUnknown(`Nobody marked "${app}" as an emulator or a test system.`);
  const { appId, app: name, operation, path } = found;
  return { appId, app: name, operation, path };
}

/** Reads that the drill is not granted; what stands in braces is never looked up, for the call is refused. */
export function probesOf(app: TargetApp, granted: string): string[] {
  return app.operations
    .filter(({ id, method }) => id !== granted && method.toUpperCase() === 'GET')
    .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length || a.path.localeCompare(b.path))
    .slice(0, PROBES_MAX)
    .map(({ path }) => path.replaceAll(/\{[^}]*\}/g, 'drill'));
}

export function createTargetCommands(context: {
  readonly db: Database;
  readonly clock: Clock;
  readonly apps: TargetApps;
}) {
  const { db, clock, apps } = context;
  return {
    list: () => listTargets(db),

    /** Says that an app is an emulator or a test system, and which read of it a drill may be granted. */
    async mark(actor: Actor, raw: z.input<typeof targetInput>): Promise<MarkedTarget> {
      authorize(actor, 'drill.run');
      const parsed = targetInput.safeParse(raw);
      if (!parsed.success) throw new DrillInputInvalid(parsed.error.issues[0]?.message ?? 'not valid');
      const { app: name, operation, path, reason } = parsed.data;
      const app = await apps.find(name);
      if (!app) throw new TargetUnknown(`There is no app ${name}.`);
      const granted = app.operations.find(({ id }) => id === operation);
      if (granted?.method.toUpperCase() !== 'GET')
        throw new DrillInputInvalid(`${operation} is no read (GET) of the description of ${name}.`);
      if (probesOf(app, operation).length < PROBES_MIN)
        throw new DrillInputInvalid(`${name} has fewer than ${PROBES_MIN} other reads for a thief to try.`);
      const at = clock.now();
      const row = { app: app.name, operation, path, reason, made_at: at, made_by: describeActor(actor).name };
      await db.transaction(async (tx) => {
        await tx
          .tables<DrillTables>()
          .insertInto('drill_target')
          .values({ app_id: app.id, ...row })
          .onConflict((conflict) => conflict.column('app_id').doUpdateSet(row))
          .execute();
        await appendAudit(tx, {
          actor,
          action: 'drill_target.marked',
          target: { type: 'app', id: app.id, name: app.name },
          detail: { operation, path, reason },
          at,
        });
      });
      return { appId: app.id, app: app.name, operation, path, reason, madeAt: at, madeBy: row.made_by };
    },

    async unmark(actor: Actor, ref: string): Promise<void> {
      authorize(actor, 'drill.run');
      const { appId, app } = await markedTarget(db, ref);
      await db.transaction(async (tx) => {
        await tx.tables<DrillTables>().deleteFrom('drill_target').where('app_id', '=', appId).execute();
        await appendAudit(tx, {
          actor,
          action: 'drill_target.unmarked',
          target: { type: 'app', id: appId, name: app },
          detail: {},
          at: clock.now(),
        });
      });
    },
  };
}
export type TargetCommands = ReturnType<typeof createTargetCommands>;

type Call = NonNullable<Inject['calls']>[number];
const keyOf = ({ method, path }: Call): string => `${method} ${path}`;
const allCalls = ({ injects }: Scenario): Call[] => injects.flatMap(({ calls }) => calls ?? []);

/**
 * A call of the scenario as it is made. At an app of the estate the first of them is the granted read, and each other
 * one, whatever it would do, a read of its own that nobody granted.
 */
export function placedCall({ document, target }: Pick<Drill, 'document' | 'target'>, victim: Victim, call: Call): Call {
  if (target === null) return call;
  const kinds = [...new Set(allCalls(document).map(keyOf))];
  const place = kinds.indexOf(keyOf(call));
  if (place === 0) return { ...call, method: 'GET', path: target.path };
  const probes = victim.probes ?? [];
  return { ...call, method: 'GET', path: probes[(place - 1) % probes.length] ?? target.path };
}

/** The rightful use, which the thief repeats first. */
export function firstCall(drill: Pick<Drill, 'document' | 'target'>, victim: Victim): Call | null {
  const [call] = allCalls(drill.document);
  return call ? placedCall(drill, victim, call) : null;
}
