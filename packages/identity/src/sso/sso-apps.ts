import { type Actor, appendAudit, authorize, type PersonId, type Transaction, uuidv7 } from '@cordon/kernel';
import { sql } from 'kysely';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SsoAppExists, SsoAppNotFound } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { mintSecret } from '../token-secret.ts';
import { mayUse, type SsoAccess, type SsoApp, SsoAppId, type SsoSettings } from './sso-app.ts';
import {
  findApp,
  insertApp,
  isTaken,
  listApps,
  loadSubscriber,
  removeApp,
  replaceSecret,
  updateApp,
} from './sso-app-store.ts';
import { endLogins, listLogins, SESSIONS_CHANNEL, type SsoLogin } from './sso-login-store.ts';

/** An old secret works this long beside the new one, so that a tool can be changed without an outage. */
const SECRET_GRACE_MS = 24 * 60 * 60_000;

export interface SsoAppInput {
  readonly name: string;
  readonly catalogue: string | null;
  readonly settings: SsoSettings;
  readonly access: SsoAccess;
  readonly launchUrl: string | null;
  readonly status: 'active' | 'disabled';
}

/** What an app is called on a person's own page. */
export interface LaunchableApp {
  readonly id: string;
  readonly name: string;
  readonly catalogue: string | null;
  readonly protocol: 'oidc' | 'saml';
  /** Where a click leads; null: the tool starts the sign-on itself and has given no address. */
  readonly url: string | null;
}

export interface SsoApps {
  list(actor: Actor): Promise<SsoApp[]>;
  get(actor: Actor, id: SsoAppId): Promise<SsoApp>;
  /** `secret`: shown once, of an OpenID Connect app with one. */
  add(actor: Actor, input: SsoAppInput): Promise<{ app: SsoApp; secret: string | null }>;
  change(actor: Actor, id: SsoAppId, input: SsoAppInput): Promise<SsoApp>;
  remove(actor: Actor, id: SsoAppId): Promise<void>;
  rotateSecret(actor: Actor, id: SsoAppId): Promise<string>;
  /** Who signed on, latest first, and whether the app was told of a session's end. */
  logins(actor: Actor, id: SsoAppId): Promise<SsoLogin[]>;
  /** What this person may open. */
  mine(personId: PersonId): Promise<LaunchableApp[]>;
}

/** Whoever tells apps of ended sessions looks at once. */
async function wakeNotices(tx: Transaction): Promise<void> {
  await sql`select pg_notify(${SESSIONS_CHANNEL}, '')`.execute(tablesOf(tx));
}

function hasSecret({ settings }: Pick<SsoApp, 'settings'>): boolean {
  return settings.protocol === 'oidc' && settings.auth.startsWith('client_secret');
}

export function createSsoApps(context: IdentityContext): SsoApps {
  const { db, clock } = context;

  const load = async (tx: Pick<Transaction, 'tables'>, id: SsoAppId): Promise<SsoApp> => {
    const app = await findApp(tablesOf(tx), id);
    if (!app) throw new SsoAppNotFound('There is no such app.');
    return app;
  };
  const note = async (
    tx: Transaction,
    actor: Actor,
    action: string,
    app: SsoApp,
    detail: object = {},
  ): Promise<void> => {
    const target = { type: 'sso-app', id: app.id, name: app.name };
    await appendAudit(tx, { actor, action, target, detail: { ...detail }, at: clock.now() });
  };
  const report = (kind: 'create' | 'update' | 'delete', actor: Actor, app: SsoApp, reason: string): void =>
    context.emit(
      entityManagementEvent(kind, {
        at: clock.now(),
        outcome: 'success',
        actor,
        reason,
        entity: { type: 'sso-app', id: app.id, name: app.name },
      }),
    );
  const giveSecret = async (tx: Transaction, app: SsoApp, graceMs: number): Promise<string> => {
    const { value, hash } = mintSecret(context.random, 'cordon_sso_');
    const now = clock.now();
    await replaceSecret(tablesOf(tx), app.id, { id: uuidv7(now), hash, now, graceEnds: now + graceMs });
    return value;
  };

  return {
    async list(actor) {
      authorize(actor, 'sso.read');
      return listApps(tablesOf(db));
    },
    async get(actor, id) {
      authorize(actor, 'sso.read');
      return load(db, id);
    },
    async add(actor, input) {
      authorize(actor, 'sso.write');
      const now = clock.now();
      const app: SsoApp = { ...input, id: SsoAppId.create(now), createdAt: now, updatedAt: now };
      const secret = await db.transaction(async (tx) => {
        if (!(await insertApp(tablesOf(tx), app))) throw new SsoAppExists('Another app has this name or entity id.');
        await note(tx, actor, 'sso_app.added', app, { ...input });
        return hasSecret(app) ? giveSecret(tx, app, 0) : null;
      });
      report('create', actor, app, 'App for single sign-on added');
      return { app, secret };
    },
    async change(actor, id, input) {
      authorize(actor, 'sso.write');
      const app = await db.transaction(async (tx) => {
        const before = await load(tx, id);
        if (before.settings.protocol !== input.settings.protocol) {
          throw new SsoAppExists('An app keeps its protocol; add another one.');
        }
        const after: SsoApp = { ...before, ...input, updatedAt: clock.now() };
        if (await isTaken(tablesOf(tx), after)) throw new SsoAppExists('Another app has this name or entity id.');
        await updateApp(tablesOf(tx), after);
        if (after.status === 'disabled') {
          await endLogins(tablesOf(tx), { appId: id }, clock.now());
          await wakeNotices(tx);
        }
        const { settings, access, status } = before;
        await note(tx, actor, 'sso_app.changed', after, { before: { settings, access, status }, after: input });
        return after;
      });
      report('update', actor, app, 'App for single sign-on changed');
      return app;
    },
    async remove(actor, id) {
      authorize(actor, 'sso.write');
      const app = await db.transaction(async (tx) => {
        const found = await load(tx, id);
        await endLogins(tablesOf(tx), { appId: id }, clock.now());
        await removeApp(tablesOf(tx), id, clock.now());
        await wakeNotices(tx);
        await note(tx, actor, 'sso_app.removed', found);
        return found;
      });
      report('delete', actor, app, 'App for single sign-on removed');
    },
    async rotateSecret(actor, id) {
      authorize(actor, 'sso.write');
      return db.transaction(async (tx) => {
        const app = await load(tx, id);
        if (!hasSecret(app)) throw new SsoAppNotFound('This app has no secret.');
        await note(tx, actor, 'sso_app.secret_rotated', app);
        return giveSecret(tx, app, SECRET_GRACE_MS);
      });
    },
    async logins(actor, id) {
      authorize(actor, 'sso.read');
      await load(db, id);
      return listLogins(tablesOf(db), id);
    },
    async mine(personId) {
      const subscriber = await loadSubscriber(tablesOf(db), personId, clock.now());
      if (!subscriber) return [];
      const apps = (await listApps(tablesOf(db))).filter((app) => mayUse(app, subscriber));
      return apps.map((app) => ({
        id: app.id,
        name: app.name,
        catalogue: app.catalogue,
        protocol: app.settings.protocol,
        url:
          app.launchUrl ??
          (app.settings.protocol === 'saml' && app.settings.idpInitiated ? `/sso/saml/start/${app.id}` : null),
      }));
    },
  };
}
