import { createHash } from 'node:crypto';
import { type Actor, AppId, appendAudit, authorize, authorizeOwn, type Transaction } from '@cordon/kernel';
import { compileDescription } from '@cordon/openapi';
import {
  type App,
  appInput,
  type AppInput,
  appPatch,
  type AppPatch,
  type AppOwner,
  type AppSettings,
  appSettings,
  leadsElsewhere,
} from './app.ts';
import {
  appSnapshotEntry,
  deleteApp,
  findApp,
  insertApp,
  loadApp,
  lockApp,
  storeDescription,
  updateApp,
} from './app-store.ts';
import type { EstateContext } from './context.ts';
import { DescriptionInvalid, NameTaken } from './errors.ts';
import { graphqlSchemaKey } from './graphql/graphql-store.ts';
import { parseInput } from './input.ts';
import { mcpKeys } from './mcp/mcp-store.ts';
import { publish } from './publication.ts';
import { isDuplicate } from './tables.ts';
import { credentialKey } from './vault/vault-publication.ts';
import { eraseAll } from './vault/vault-store.ts';

export const DESCRIPTION_BYTES_MAX = 64 * 1024 * 1024;

/** No actor has this id, so an app without an owner is nobody's own. */
export const NOBODY = '';

function ownerOf(actor: Actor): AppOwner | null {
  return actor.kind === 'system' ? null : { id: actor.id, name: actor.name };
}

/**
 * Private addresses, plaintext and a certificate authority of one's own let calls reach into the company's network or be
 * read on the way. Who answers for one app doesn't answer for those.
 */
function checkReach(actor: Actor, after: AppSettings, before: AppSettings | null): void {
  const isNew = (is: readonly string[], was: readonly string[]): boolean => is.some((one) => !was.includes(one));
  const widens =
    isNew(after.privateAddresses, before?.privateAddresses ?? []) ||
    isNew(after.caCertificates, before?.caCertificates ?? []) ||
    (after.plaintext === 'allow' && before?.plaintext !== 'allow');
  if (widens) authorize(actor, 'app.reach');
}

async function checkName(tx: Transaction, name: string): Promise<void> {
  if (await findApp(tx, { name })) throw new NameTaken(`An app named ${name} exists already.`, { name });
}

/** Two that take one name at once both find it free; the database lets only one have it. */
export async function refuseDuplicate<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (isDuplicate(error)) throw new NameTaken(`The name ${name} was taken a moment ago.`, { name }, error);
    throw error;
  }
}

/** Everything about apps that changes state. */
export function createAppCommands(context: EstateContext) {
  const { db, clock } = context;

  const change = async (
    actor: Actor,
    permission: 'app.write' | 'credential.write',
    id: string,
    action: string,
    detail: Record<string, unknown>,
    write: (tx: Transaction, app: App, at: number) => Promise<void>,
  ): Promise<App> => {
    const at = clock.now();
    return db.transaction(async (tx) => {
      const before = await lockApp(tx, AppId.parse(id));
      authorizeOwn(actor, permission, before.owner?.id ?? NOBODY);
      await write(tx, before, at);
      await publish(tx, { set: [await appSnapshotEntry(tx, before.id)], at });
      const target = { type: 'app', id: before.id, name: before.name };
      await appendAudit(tx, { actor, action, target, detail, at });
      return loadApp(tx, before.id);
    });
  };

  return {
    async create(actor: Actor, raw: AppInput): Promise<App> {
      authorize(actor, 'app.write');
      const { name, title = name, owner = ownerOf(actor), ...settings } = parseInput(appInput, raw);
      checkReach(actor, settings, null);
      const at = clock.now();
      const id = AppId.create(at);
      return refuseDuplicate(
        name,
        db.transaction(async (tx) => {
          await checkName(tx, name);
          await insertApp(tx, { id, name, title, owner, settings, at: new Date(at) });
          await publish(tx, { set: [await appSnapshotEntry(tx, id)], at });
          const target = { type: 'app', id, name };
          await appendAudit(tx, { actor, action: 'app.created', target, detail: { upstream: settings.upstream }, at });
          return loadApp(tx, id);
        }),
      );
    },

    /** A change of where calls go, or of how their connection is guarded, drops the stored credential. */
    update(actor: Actor, id: string, raw: AppPatch): Promise<App> {
      authorize(actor, 'app.write');
      const { title, owner, ...patch } = parseInput(appPatch, raw) as AppPatch; // the schema's shape is built from appSettings
      const detail: Record<string, unknown> = { changed: Object.keys(raw) };
      return change(actor, 'app.write', id, 'app.updated', detail, async (tx, app, at) => {
        const limits = { ...app.settings.limits, ...patch.limits };
        const resilience = { ...app.settings.resilience, ...patch.resilience };
        const sharing = { ...app.settings.sharing, ...patch.sharing };
        const settings = parseInput(appSettings, { ...app.settings, ...patch, limits, resilience, sharing });
        checkReach(actor, settings, app.settings);
        const named = { ...(title === undefined ? {} : { title }), ...(owner === undefined ? {} : { owner }) };
        await updateApp(tx, app.id, { ...named, settings, at: new Date(at) });
        // Else whoever may change an app could read the vendor's secret by sending calls to a host of their own.
        if (!leadsElsewhere(app.settings, settings)) return;
        const { count, integrationIds } = await eraseAll(tx, app.id, new Date(at));
        if (count > 0) detail['credential'] = 'dropped: calls go elsewhere';
        const remove = integrationIds.map((integrationId) => credentialKey(app.id, integrationId));
        if (remove.length > 0) await publish(tx, { remove, at });
      });
    },

    async setDescription(actor: Actor, id: string, source: Uint8Array): Promise<App> {
      authorize(actor, 'app.write');
      if (source.byteLength > DESCRIPTION_BYTES_MAX) {
        throw new DescriptionInvalid(`The description exceeds ${DESCRIPTION_BYTES_MAX} bytes.`);
      }
      const compiled = await (context.compile?.(source) ?? compileDescription(source));
      return change(
        actor,
        'app.write',
        id,
        'app.description_replaced',
        { operations: compiled.operations, sha256: compiled.sha256 },
        async (tx, app, at) => {
          const { title, version, operations } = compiled;
          await storeDescription(tx, app.id, {
            operations: { sha256: compiled.sha256, bytes: compiled.blob },
            source: { sha256: createHash('sha256').update(source).digest('hex'), bytes: source },
            summary: { title, version, operations, problems: compiled.problems.length },
            at: new Date(at),
          });
        },
      );
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'app.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const found = await loadApp(tx, AppId.parse(id));
        authorizeOwn(actor, 'app.write', found.owner?.id ?? NOBODY);
        const offered = [...(await mcpKeys(tx, found.id)), graphqlSchemaKey(found.id)];
        const { grantIds, integrationIds } = await deleteApp(tx, found.id);
        const own = integrationIds.map((integrationId) => credentialKey(found.id, integrationId));
        const remove = [`app:${found.id}`, ...grantIds.map((grant) => `grant:${grant}`), ...own, ...offered];
        await publish(tx, { remove, revokes: true, at });
        const target = { type: 'app', id: found.id, name: found.name };
        await appendAudit(tx, { actor, action: 'app.removed', target, detail: { grants: grantIds.length }, at });
      });
    },
  };
}
