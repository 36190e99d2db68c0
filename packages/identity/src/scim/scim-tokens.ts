import { type Actor, appendAudit, authorize, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { ApiTokenNotFound, InputInvalid } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';

export const SCIM_TOKEN_PREFIX = 'cordon_scim_';
const DAY_MS = 24 * 60 * 60_000;
export const SCIM_TOKEN_DAYS_MAX = 400;
const OVERLAP_MS_MAX = 7 * DAY_MS;
const USED_STEP_MS = 60_000;
const TOKENS_PAGE_MAX = 100;

export interface ScimToken {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | null;
}

/** Bearer tokens of corporate directories. */
export interface ScimTokens {
  list(actor: Actor): Promise<ScimToken[]>;
  /** The value is returned once. */
  create(
    actor: Actor,
    input: { readonly name: string; readonly days: number },
  ): Promise<{ token: ScimToken; value: string }>;
  /** A new token in place of one, which works on for `overlapMs`, so that the directory can be switched over. */
  rotate(actor: Actor, id: string, overlapMs: number): Promise<{ token: ScimToken; value: string }>;
  revoke(actor: Actor, id: string): Promise<void>;
  /** Who a bearer token stands for; null for none. */
  resolve(value: string): Promise<Actor | null>;
}

interface Row {
  id: string;
  name: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
}

function tokenOf(row: Row): ScimToken {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  };
}

export function createScimTokens(context: IdentityContext): ScimTokens {
  const { db, clock, emit } = context;

  const report = (activity: 'create' | 'update' | 'delete', actor: Actor, token: ScimToken): void =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        actor,
        entity: { type: 'scim-token', id: token.id, name: token.name },
      }),
    );

  const make = async (
    actor: Actor,
    action: string,
    input: { name: string; lifetimeMs: number; replaces?: { id: string; until: Date } },
  ): Promise<{ token: ScimToken; value: string }> => {
    const at = clock.now();
    const { value, hash } = mintSecret(context.random, SCIM_TOKEN_PREFIX);
    const token = {
      id: uuidv7(at),
      name: input.name,
      createdAt: at,
      expiresAt: at + input.lifetimeMs,
      lastUsedAt: null,
    };
    await db.transaction(async (tx) => {
      const tables = tablesOf(tx);
      const times = { created_at: new Date(at), expires_at: new Date(token.expiresAt), last_used_at: null };
      await tables
        .insertInto('scim_tokens')
        .values({ id: token.id, hash, name: token.name, ...times })
        .execute();
      if (input.replaces) {
        const { id, until } = input.replaces;
        await tables.updateTable('scim_tokens').set({ expires_at: until }).where('id', '=', id).execute();
      }
      const target = { type: 'scim-token', id: token.id, name: token.name };
      const detail = { expiresAt: token.expiresAt, ...(input.replaces ? { replaces: input.replaces.id } : {}) };
      await appendAudit(tx, { actor, action, target, detail, at });
    });
    return { token, value };
  };

  const find = async (id: string): Promise<ScimToken> => {
    const row = await tablesOf(db)
      .selectFrom('scim_tokens')
      .selectAll()
      .where('id', '=', id)
      .where('expires_at', '>', new Date(clock.now()))
      .executeTakeFirst();
    if (!row) throw new ApiTokenNotFound('There is no such SCIM token.');
    return tokenOf(row);
  };

  return {
    async list(actor) {
      authorize(actor, 'scim.write');
      const rows = await tablesOf(db)
        .selectFrom('scim_tokens')
        .selectAll()
        .where('expires_at', '>', new Date(clock.now()))
        .orderBy('id', 'desc')
        .limit(TOKENS_PAGE_MAX)
        .execute();
      return rows.map(tokenOf);
    },

    async create(actor, { name, days }) {
      authorize(actor, 'scim.write');
      if (!(days >= 1 && days <= SCIM_TOKEN_DAYS_MAX)) {
        throw new InputInvalid(`A SCIM token lives between 1 and ${SCIM_TOKEN_DAYS_MAX} days.`, { field: 'days' });
      }
      const made = await make(actor, 'scim_token.created', { name, lifetimeMs: days * DAY_MS });
      report('create', actor, made.token);
      return made;
    },

    async rotate(actor, id, overlapMs) {
      authorize(actor, 'scim.write');
      const old = await find(id);
      const until = Math.min(old.expiresAt, clock.now() + Math.min(Math.max(0, overlapMs), OVERLAP_MS_MAX));
      const lifetimeMs = old.expiresAt - old.createdAt;
      const replaces = { id, until: new Date(until) };
      const made = await make(actor, 'scim_token.rotated', { name: old.name, lifetimeMs, replaces });
      report('update', actor, made.token);
      return made;
    },

    async revoke(actor, id) {
      authorize(actor, 'scim.write');
      const token = await find(id);
      await db.transaction(async (tx) => {
        await tablesOf(tx).deleteFrom('scim_tokens').where('id', '=', id).execute();
        const target = { type: 'scim-token', id, name: token.name };
        await appendAudit(tx, { actor, action: 'scim_token.revoked', target, at: clock.now() });
      });
      report('delete', actor, token);
    },

    async resolve(value) {
      if (!value.startsWith(SCIM_TOKEN_PREFIX)) return null;
      const now = clock.now();
      const row = await tablesOf(db)
        .selectFrom('scim_tokens')
        .selectAll()
        .where('hash', '=', hashSecret(value))
        .where('expires_at', '>', new Date(now))
        .executeTakeFirst();
      if (!row) return null;
      const used = row.last_used_at?.getTime() ?? 0;
      if (now - used >= USED_STEP_MS) {
        await tablesOf(db)
          .updateTable('scim_tokens')
          .set({ last_used_at: new Date(now) })
          .where('id', '=', row.id)
          .execute();
      }
      return { kind: 'client', id: row.id, name: `SCIM ${row.name}`, roles: [] };
    },
  };
}
