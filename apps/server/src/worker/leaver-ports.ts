import {
  type ActionRunner,
  type Connection,
  listConnections,
  listEntities,
  loadConnection,
  type Manifests,
  type StoredRow,
} from '@cordon/connectors';
import { listApps, listIntegrationsOf, succeed } from '@cordon/estate';
import type { Identity } from '@cordon/identity';
import { type Actor, type Clock, type Database, PersonId } from '@cordon/kernel';
import {
  type Leaver,
  type LeaverPorts,
  type Outcome,
  PROVISIONED,
  type ProvisionLeaver,
  type Target,
} from '@cordon/lifecycle';
import { z } from 'zod';

const LEAVER: Actor = { kind: 'system', name: 'leaver' };
const PAGES_MAX = 2_000;

export interface LeaverPortDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly manifests: Manifests;
  readonly actions: ActionRunner;
  /** Tools that people are pushed to over SCIM, or by hand. */
  readonly provisioning: ProvisionLeaver;
}

const integrationInput = z.object({ integrationId: z.string() });
const actInput = z.object({
  connectionId: z.string(),
  action: z.string(),
  values: z.record(z.string(), z.string()),
});

type Kind = 'account' | 'credential' | 'grant';

async function* entitiesOf(db: Database, connectionId: string, kind: Kind): AsyncIterable<StoredRow> {
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const found = await listEntities(db, {
      connectionId,
      kind,
      gone: false,
      ...(after === undefined ? {} : { after }),
    });
    yield* found.items;
    if (found.next === null) return;
    after = found.next;
  }
}

/** What an entity says of itself, by attribute; the tool's own ones (an id without our prefix) among them. */
const attributesOf = (row: StoredRow): Readonly<Record<string, unknown>> => ({
  ...('attributes' in row.entity ? row.entity.attributes : {}),
  ...row.entity,
});

const same = (one: unknown, other: string): boolean =>
  typeof one === 'string' && other !== '' && one.toLowerCase() === other.toLowerCase();

/** The person's accounts in a tool: by mail address, else by the name they sign in with. */
async function accountsOf(db: Database, connection: Connection, logins: readonly string[]): Promise<StoredRow[]> {
  const found = new Map<string, StoredRow>();
  for await (const row of entitiesOf(db, connection.id, 'account')) {
    const { email, login, status } = attributesOf(row);
    if (status === 'deleted') continue;
    if (logins.some((name) => same(email, name) || same(login, name))) found.set(row.id, row);
  }
  return [...found.values()];
}

/** Whose a credential or grant is, in the words of the tool. */
function holderOf(row: StoredRow): unknown {
  const { ownerId, grantedBy } = attributesOf(row);
  return row.kind === 'credential' ? ownerId : grantedBy;
}

async function targetsIn(deps: LeaverPortDeps, connection: Connection, logins: readonly string[]): Promise<Target[]> {
  const { db, manifests } = deps;
  const accounts = await accountsOf(db, connection, logins);
  if (accounts.length === 0) return [];
  const manifest = manifests.find(connection.app)?.manifest;
  const title = manifest?.title ?? connection.app;
  const actions = Object.entries(manifest?.actions ?? {});
  const named = (row: StoredRow): string => `${row.name ?? row.id} in ${connection.name}`;
  const acts = (kind: Kind, row: StoredRow): Target[] => {
    const known = attributesOf(row);
    const asked = actions.filter(([, spec]) => spec.leaver?.of === kind);
    const targets = asked.map(([action, spec]): Target => {
      const values = Object.entries(spec.leaver?.input ?? {}).map(([name, from]) => [name, known[from]] as const);
      const missing = values.filter(([, value]) => typeof value !== 'string').map(([name]) => name);
      return {
        key: `${connection.id}/${kind}/${row.id}/${action}`,
        kind,
        name: named(row),
        act: spec.title,
        input: { connectionId: connection.id, action, values: Object.fromEntries(values) },
        ...(missing.length > 0 && { task: `${title} did not show ${missing.join(', ')}: do it there by hand.` }),
      };
    });
    if (targets.length > 0) return targets;
    const what = { account: 'an account', credential: 'a credential', grant: 'a grant' }[kind];
    return [
      {
        key: `${connection.id}/${kind}/${row.id}`,
        kind,
        name: named(row),
        act: `Take ${what} away`,
        input: {},
        task: `Cordon has no way to take ${what} away in ${title}: do it there, then say so here.`,
      },
    ];
  };
  const targets = accounts.flatMap((row) => acts('account', row));
  const ids = new Set(accounts.flatMap((row) => [row.id, attributesOf(row)['login']]).filter((id) => id !== undefined));
  for (const kind of ['credential', 'grant'] as const) {
    for await (const row of entitiesOf(db, connection.id, kind)) {
      const { status } = attributesOf(row);
      const isOver = status === 'revoked' || status === 'expired';
      if (!isOver && ids.has(holderOf(row) as string)) targets.push(...acts(kind, row));
    }
  }
  return targets;
}

async function integrationTargets(db: Database, leaver: Leaver): Promise<Target[]> {
  return (await listIntegrationsOf(db, leaver.id)).map((one) => ({
    key: `integration/${one.id}`,
    kind: 'integration',
    name: one.name,
    act: one.owner.id === leaver.id ? 'Hand over to the backup owner, or find one' : 'Name another backup owner',
    input: { integrationId: one.id },
  }));
}

async function appTargets(db: Database, leaver: Leaver): Promise<Target[]> {
  const apps = (await listApps(db)).filter((app) => app.owner?.id === leaver.id);
  return apps.map((app) => ({
    key: `app/${app.id}`,
    kind: 'app',
    name: app.title,
    act: 'Give the app another owner',
    input: {},
    task: `${leaver.name} answered for this app. Choose who does now; until then only owners and security can change it.`,
  }));
}

/** Where a leaver may have something, and how it is taken away. */
export function createLeaverPorts(deps: LeaverPortDeps): LeaverPorts {
  const { db, clock, identity, actions, provisioning } = deps;
  const isActive = async (id: string): Promise<boolean> => {
    const person = await identity.people.get(LEAVER, PersonId.parse(id)).catch(() => null);
    return person?.status === 'active';
  };
  return {
    async find(leaver) {
      const person = await identity.people.get(LEAVER, PersonId.parse(leaver.id));
      const logins = [person.email, person.login];
      const connections = await listConnections(db);
      const inTools = await Promise.all(connections.map((connection) => targetsIn(deps, connection, logins)));
      return [
        ...(await integrationTargets(db, leaver)),
        ...(await provisioning.find(leaver)),
        ...inTools.flat(),
        ...(await appTargets(db, leaver)),
      ];
    },

    async carryOut(leaver, target, idempotencyKey): Promise<Outcome> {
      if (target.kind === PROVISIONED) return provisioning.carryOut(leaver, target);
      if (target.kind === 'integration') {
        const { integrationId } = integrationInput.parse(target.input);
        const what = await succeed({ db, clock }, LEAVER, { integrationId, leaver: leaver.id, isActive });
        if (what.kind === 'promoted') return { state: 'done', detail: `${what.to.name} answers for it now.` };
        if (what.kind === 'none') return { state: 'nothing', detail: what.why };
        const until = new Date(what.until).toISOString().slice(0, 10);
        return { state: 'task', detail: `Nobody follows. Give it an owner before ${until}: then it is suspended.` };
      }
      const { connectionId, action, values } = actInput.parse(target.input);
      const connection = await loadConnection(db, connectionId);
      const run = await actions.run(LEAVER, { connectionId, action, input: values, mode: 'run', idempotencyKey });
      if (run.status !== 'ended') throw new Error(run.error ?? `${connection.name} did not answer.`);
      const said = run.summary ?? run.outcome ?? 'done';
      const isUnclear = run.outcome === 'unclear';
      if (isUnclear) return { state: 'task', detail: `${connection.name} didn't say whether it worked: look there.` };
      if (run.outcome === 'not_done') {
        return { state: 'task', detail: `${connection.name} took it, and nothing has changed: do it there by hand.` };
      }
      return { state: 'done', detail: `${said} (run ${run.id})` };
    },
  };
}
