import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  uuidv7,
} from '@cordon/kernel';
import {
  applyExceptions,
  type Catalogue,
  compare,
  type CompiledCheck,
  type ExceptedResult,
  exceptionProblem,
  type PostureResult,
  type PostureScore,
  score,
  since,
} from '@cordon/posture';
import type { Connection } from './connection.ts';
import { findManifest } from './connection-commands.ts';
import { listStreamStates, loadConnection } from './connection-store.ts';
import type { EntityKind, StoredEntity } from './entity.ts';
import { ENTITIES_PAGE_MAX, listEntities } from './entity-store.ts';
import { ConnectorInputInvalid } from './errors.ts';
import type { Manifests } from './load-manifest.ts';
import type { Manifest } from './manifest.ts';
import { NHI_PRODUCT, nhiSettings } from './nhi-settings.ts';
import { insertException, listExceptions, loadResults, saveResults } from './posture-store.ts';
import { assembleSettings, coverage } from './settings.ts';

type Setting = Extract<StoredEntity, { type: 'setting' }>;
type Kind = EntityKind;
const ENTITIES_MAX = 200_000;
/** What tells of identities that are no people. */
const SHOWN: readonly Kind[] = ['grant', 'credential'];
const READ: readonly string[] = ['ok', 'partial'];

export interface PostureDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly manifests: Manifests;
  readonly catalogue: Catalogue;
}

async function readEntities(db: Queryable, connectionId: string, kind: Kind): Promise<StoredEntity[]> {
  const found: StoredEntity[] = [];
  let after: string | null = null;
  do {
    const query = { connectionId, kind, limit: ENTITIES_PAGE_MAX, ...(after === null ? {} : { after }) };
    const page: Awaited<ReturnType<typeof listEntities>> = await listEntities(db, query);
    found.push(...page.items.map(({ entity }) => entity));
    after = page.next;
  } while (after !== null && found.length < ENTITIES_MAX);
  return found;
}

async function readSettings(db: Queryable, connectionId: string): Promise<Setting[]> {
  const found = await readEntities(db, connectionId, 'setting');
  return found.filter((one): one is Setting => one.type === 'setting');
}

type Judge = (
  check: CompiledCheck,
  settings: Readonly<Record<string, unknown>>,
  unread: readonly string[],
) => PostureResult;

/** The checks of non-human identities on what a tool shows of grants and credentials; none where it shows neither. */
async function judgeIdentities(
  { db, catalogue }: PostureDeps,
  connection: Connection,
  { streams, title }: Manifest,
  judge: Judge,
): Promise<PostureResult[]> {
  const states = new Map((await listStreamStates(db, connection.id)).map((one) => [one.stream, one.status]));
  const telling = Object.entries(streams).filter(([, { emits }]) => emits.some((kind) => SHOWN.includes(kind)));
  const isRead = ([name]: (typeof telling)[number]): boolean => READ.includes(states.get(name) ?? 'never');
  if (!telling.some(isRead)) return [];
  const isWhole = telling.every(isRead);
  const kinds: readonly Kind[] = ['account', ...SHOWN];
  const entities = (await Promise.all(kinds.map((kind) => readEntities(db, connection.id, kind)))).flat();
  const settings = nhiSettings(title, entities);
  const known = Object.keys(settings);
  return catalogue.byProduct(NHI_PRODUCT).flatMap((check) => {
    // What only the gateway or the vault could tell is no question to a tool.
    if (!check.check.needs.every((path) => known.includes(path))) return [];
    const found = judge(check, settings, []);
    // One that is wrong is wrong; that all are right can't be said of a part.
    return [found.result === 'pass' && !isWhole ? judge(check, settings, known) : found];
  });
}

/** Judges what was read of a connection, and keeps the results with since when, and what became of each. */
export async function judgeConnection(deps: PostureDeps, connection: Connection): Promise<number> {
  const { db, clock, catalogue } = deps;
  const { manifest } = findManifest(deps.manifests, connection.app);
  const checks = manifest.posture === undefined ? [] : catalogue.byProduct(manifest.posture);
  const states = await listStreamStates(db, connection.id);
  const { unread, emptyLists } = coverage(manifest, new Map(states.map(({ stream, status }) => [stream, status])));
  const settings = assembleSettings(await readSettings(db, connection.id), emptyLists);
  const now = clock.now();
  const judge: Judge = (check, given, hidden) =>
    check.evaluate(given, { now, unread: hidden, elapsed: () => performance.now() });
  const own = checks.map((check) => judge(check, settings, unread));
  const current = [...own, ...(await judgeIdentities(deps, connection, manifest, judge))];
  return db.transaction(async (tx) => {
    const before = await loadResults(tx, connection.id, manifest.posture ?? '');
    const sinceOf = since(before, current);
    // The first look is no drift: there is nothing that it moved away from.
    const drifts = before.length === 0 ? [] : compare(before, current);
    const kept = current.map((one) => ({ ...one, since: sinceOf.get(one.check) ?? now }));
    await saveResults(tx, connection.id, kept, drifts, new Date(now));
    return kept.length;
  });
}

export interface ConnectionPosture {
  readonly score: PostureScore;
  readonly items: readonly (ExceptedResult & { readonly since: number })[];
}

/** The results as they stand, with exceptions and the score. */
export async function readPosture(
  deps: { readonly db: Queryable; readonly clock: Clock; readonly manifests: Manifests },
  connection: Connection,
): Promise<ConnectionPosture> {
  const product = deps.manifests.find(connection.app)?.manifest.posture ?? '';
  const stored = await loadResults(deps.db, connection.id, product);
  const sinceOf = new Map(stored.map((one) => [one.check, one.since]));
  const excepted = applyExceptions(stored, await listExceptions(deps.db, connection.id), deps.clock.now());
  const items = excepted.map((one) => ({ ...one, since: sinceOf.get(one.check) ?? one.evaluatedAt }));
  return { score: score(excepted), items };
}

export function createPostureCommands(deps: { readonly db: Database; readonly clock: Clock }) {
  return {
    /** Somebody answers for a failing check until a day; the result stays a failure and is shown as one. */
    async except(
      actor: Actor,
      connectionId: string,
      input: { readonly check: string; readonly reason: string; readonly expiresAt: number },
    ): Promise<void> {
      authorize(actor, 'connector.write');
      const connection = await loadConnection(deps.db, connectionId);
      const at = deps.clock.now();
      const exception = { ...input, approvedBy: describeActor(actor).name, approvedAt: at };
      const problem = exceptionProblem(exception);
      if (problem !== null) throw new ConnectorInputInvalid(problem, { field: 'reason' });
      await deps.db.transaction(async (tx) => {
        await insertException(tx, { ...exception, id: uuidv7(at), connectionId });
        const target = { type: 'connection', id: connectionId, name: connection.name };
        await appendAudit(tx, { actor, action: 'connection.posture_excepted', target, detail: { ...input }, at });
      });
    },
  };
}
export type PostureCommands = ReturnType<typeof createPostureCommands>;
