import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import {
  checkConfig,
  checkCredentialKind,
  type Connection,
  type ConnectionInput,
  type ConnectionPatch,
} from './connection.ts';
import { CONNECTIONS_MAX, listConnections, loadConnection, lockConnection, sealContext } from './connection-store.ts';
import { ConnectionNameTaken, ConnectorInputInvalid } from './errors.ts';
import type { LoadedManifest, Manifests } from './load-manifest.ts';
import { tablesOf } from './tables.ts';

/** The lake's half: a place for the tool's audit events, made with the connection and gone with it. */
export interface EventSources {
  /** Gives the id of a source that the parser reads; null when there is no such parser. */
  create(actor: Actor, input: { readonly name: string; readonly parser: string }): Promise<string | null>;
  remove(actor: Actor, id: string): Promise<void>;
}

export interface ConnectionCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly manifests: Manifests;
  readonly sources: EventSources;
}

export function findManifest(manifests: Manifests, app: string): LoadedManifest {
  const found = manifests.find(app);
  if (found) return found;
  const known = manifests.all.map(({ manifest }) => manifest.app).join(', ');
  throw new ConnectorInputInvalid(`There is no connector for ${app}. Known: ${known}.`, { app });
}

/** Plain http tells the credential to whoever listens: only to addresses that an administrator named. */
function checkBaseUrl(baseUrl: string | null, privateAddresses: readonly string[]): void {
  if (baseUrl === null || new URL(baseUrl).protocol === 'https:') return;
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '');
  if (privateAddresses.includes(host)) return;
  throw new ConnectorInputInvalid('An http:// address is allowed only for a private address that is listed.', {
    field: 'baseUrl',
  });
}

const parserOf = ({ manifest }: LoadedManifest): string | undefined =>
  Object.values(manifest.streams).find((stream) => stream.parser !== undefined)?.parser;

export function createConnectionCommands(deps: ConnectionCommandDeps) {
  const { db, clock, envelope, manifests, sources } = deps;
  const audit = (tx: Transaction, actor: Actor, action: string, one: Connection, detail: Record<string, unknown>) =>
    appendAudit(tx, {
      actor,
      action,
      target: { type: 'connection', id: one.id, name: one.name },
      detail: { app: one.app, ...detail },
      at: clock.now(),
    });

  return {
    async create(actor: Actor, input: ConnectionInput): Promise<Connection> {
      authorize(actor, 'connector.write');
      const loaded = findManifest(manifests, input.app);
      const config = checkConfig(loaded.manifest, input.config, input.plan);
      checkCredentialKind(loaded.manifest, input.credential.kind);
      checkBaseUrl(input.baseUrl, input.privateAddresses);
      const existing = await listConnections(db);
      if (existing.some(({ name }) => name === input.name)) {
        throw new ConnectionNameTaken(`There is a connection ${input.name}.`);
      }
      if (existing.length >= CONNECTIONS_MAX) throw new ConnectorInputInvalid(`There are ${CONNECTIONS_MAX} already.`);
      const parser = parserOf(loaded);
      const sourceId = parser === undefined ? null : await sources.create(actor, { name: input.name, parser });
      const at = new Date(clock.now());
      const id = uuidv7(at.getTime());
      return db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('connector_connection')
          .values({
            id,
            app: input.app,
            name: input.name,
            config: JSON.stringify(config),
            plan: input.plan,
            base_url: input.baseUrl,
            private_addresses: JSON.stringify(input.privateAddresses),
            auth_kind: input.credential.kind,
            sealed: envelope.seal(JSON.stringify(input.credential), sealContext(id)),
            credential_at: at,
            status: 'active',
            status_reason: null,
            every_minutes: input.everyMinutes,
            next_sync_at: input.everyMinutes === null ? null : at,
            source_id: sourceId,
            created_at: at,
            created_by: describeActor(actor).name,
            updated_at: at,
          })
          .execute();
        const made = await loadConnection(tx, id);
        await audit(tx, actor, 'connection.created', made, { config, plan: input.plan, baseUrl: input.baseUrl });
        return made;
      });
    },

    async update(actor: Actor, id: string, patch: ConnectionPatch): Promise<Connection> {
      authorize(actor, 'connector.write');
      return db.transaction(async (tx) => {
        const before = await lockConnection(tx, id);
        const { manifest } = findManifest(manifests, before.app);
        const config = checkConfig(manifest, patch.config ?? before.config, patch.plan ?? before.plan);
        const baseUrl = patch.baseUrl === undefined ? before.baseUrl : patch.baseUrl;
        const addresses = patch.privateAddresses ?? before.privateAddresses;
        checkBaseUrl(baseUrl, addresses);
        const isElsewhere =
          baseUrl !== before.baseUrl ||
          addresses.some((one) => !before.privateAddresses.includes(one)) ||
          JSON.stringify(config) !== JSON.stringify(before.config);
        if (isElsewhere && !patch.credential) {
          throw new ConnectorInputInvalid(
            'Give the credential again: a change of address or config leads it elsewhere.',
            {
              field: 'credential',
            },
          );
        }
        if (patch.credential) checkCredentialKind(manifest, patch.credential.kind);
        const at = new Date(clock.now());
        const everyMinutes = patch.everyMinutes === undefined ? before.everyMinutes : patch.everyMinutes;
        const status = patch.status ?? (patch.credential ? 'active' : before.status);
        await tablesOf(tx)
          .updateTable('connector_connection')
          .set({
            config: JSON.stringify(config),
            plan: patch.plan === undefined ? before.plan : patch.plan,
            base_url: baseUrl,
            private_addresses: JSON.stringify(addresses),
            every_minutes: everyMinutes,
            next_sync_at: everyMinutes === null ? null : at,
            status,
            ...(status === 'active' ? { status_reason: null } : {}),
            ...(patch.credential
              ? {
                  auth_kind: patch.credential.kind,
                  sealed: envelope.seal(JSON.stringify(patch.credential), sealContext(id)),
                  credential_at: at,
                }
              : {}),
            updated_at: at,
          })
          .where('id', '=', id)
          .execute();
        const after = await loadConnection(tx, id);
        const { credential, ...shown } = patch;
        await audit(tx, actor, 'connection.updated', after, { ...shown, credentialReplaced: credential !== undefined });
        return after;
      });
    },

    async remove(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'connector.write');
      const sourceId = await db.transaction(async (tx) => {
        const before = await lockConnection(tx, id);
        await audit(tx, actor, 'connection.removed', before, {});
        await tablesOf(tx).deleteFrom('connector_connection').where('id', '=', id).execute();
        return before.sourceId;
      });
      if (sourceId !== null) await sources.remove(actor, sourceId);
    },
  };
}
export type ConnectionCommands = ReturnType<typeof createConnectionCommands>;
