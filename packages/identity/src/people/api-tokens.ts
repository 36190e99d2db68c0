import { type Actor, appendAudit, authorize, isAllowed, PersonId, type Role, uuidv7 } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { ApiTokenNotFound, InputInvalid, RoleBeyondOwn } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import type { Principal } from '../sessions/session.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';
import {
  type ApiToken,
  deleteApiToken,
  findApiToken,
  findApiTokenByHash,
  insertApiToken,
  listApiTokens,
  touchApiToken,
} from './api-token-store.ts';
import { findPerson } from './person-store.ts';

export const API_TOKEN_PREFIX = 'cordon_pat_';
const DAY_MS = 24 * 60 * 60_000;
export const API_TOKEN_MS_MAX = 366 * DAY_MS;
const USED_STEP_MS = 60_000;

export interface ApiTokens {
  /** Own tokens, or everyone's for whoever may read people. */
  list(actor: Actor, everyone: boolean): Promise<ApiToken[]>;
  /** The value is returned once. Roles can't go beyond the creator's. The system makes service tokens. */
  create(
    actor: Actor,
    input: { readonly name: string; readonly roles: readonly Role[]; readonly expiresAt: number },
  ): Promise<{ token: ApiToken; value: string }>;
  revoke(actor: Actor, id: string): Promise<void>;
}

export function createApiTokens(context: IdentityContext): ApiTokens {
  const { db, clock, emit } = context;

  const report = (activity: 'create' | 'delete', actor: Actor, token: ApiToken): void =>
    emit(
      entityManagementEvent(activity, {
        at: clock.now(),
        outcome: 'success',
        actor,
        entity: { type: 'api-token', id: token.id, name: token.name },
      }),
    );

  return {
    async list(actor, everyone) {
      authorize(actor, everyone ? 'person.read' : 'api-token.self');
      if (everyone) return listApiTokens(tablesOf(db));
      return actor.kind === 'person' ? listApiTokens(tablesOf(db), PersonId.parse(actor.id)) : [];
    },

    async create(actor, { name, roles, expiresAt }) {
      authorize(actor, 'api-token.self');
      // A token that could make tokens would outlive its own end.
      if (actor.kind === 'client') throw new RoleBeyondOwn('A service token makes no further tokens.');
      const now = clock.now();
      if (expiresAt <= now || expiresAt > now + API_TOKEN_MS_MAX) {
        throw new InputInvalid('An API token ends at most 366 days from now.', { field: 'expiresAt' });
      }
      const own: readonly Role[] = actor.kind === 'person' ? actor.roles : roles;
      const beyond = roles.filter((role) => !own.includes(role));
      if (beyond.length > 0 || roles.length === 0) {
        throw new RoleBeyondOwn(`A token can carry only roles that you have: ${own.join(', ')}.`, { roles: beyond });
      }
      const { value, hash } = mintSecret(context.random, API_TOKEN_PREFIX);
      const personId = actor.kind === 'person' ? PersonId.parse(actor.id) : null;
      const token = {
        id: uuidv7(now),
        personId,
        name,
        roles: [...new Set(roles)],
        createdAt: now,
        expiresAt,
        lastUsedAt: null,
      };
      await db.transaction(async (tx) => {
        await insertApiToken(tablesOf(tx), token, hash);
        const target = { type: 'api-token', id: token.id, name };
        await appendAudit(tx, { actor, action: 'api_token.created', target, detail: { roles, expiresAt }, at: now });
      });
      report('create', actor, token);
      return { token, value };
    },

    async revoke(actor, id) {
      authorize(actor, 'api-token.self');
      const token = await db.transaction(async (tx) => {
        const found = await findApiToken(tablesOf(tx), id);
        const own = found !== undefined && actor.kind !== 'system' && found.personId === actor.id;
        // To others than its owner and those who may suspend people, a token doesn't exist.
        if (!found || !(own || isAllowed(actor, 'person.suspend')))
          throw new ApiTokenNotFound('There is no such API token.');
        await deleteApiToken(tablesOf(tx), id);
        const target = { type: 'api-token', id, name: found.name };
        await appendAudit(tx, { actor, action: 'api_token.revoked', target, at: clock.now() });
        return found;
      });
      report('delete', actor, token);
    },
  };
}

/** Who an API token stands for: its person with no more than the person's roles of today, or a service. */
export async function resolveApiToken(context: IdentityContext, value: string): Promise<Principal | null> {
  if (!value.startsWith(API_TOKEN_PREFIX)) return null;
  const tables = tablesOf(context.db);
  const now = context.clock.now();
  const token = await findApiTokenByHash(tables, hashSecret(value), now);
  if (!token) return null;
  const common = { via: 'api-token', session: null, expiresAt: token.expiresAt } as const;
  if (token.lastUsedAt === null || now - token.lastUsedAt >= USED_STEP_MS) await touchApiToken(tables, token.id, now);
  if (token.personId === null) {
    return { ...common, actor: { kind: 'client', id: token.id, name: token.name, roles: token.roles } };
  }
  const person = await findPerson(tables, token.personId);
  if (person?.status !== 'active') return null;
  const roles = token.roles.filter((role) => person.roles.includes(role));
  return { ...common, actor: { kind: 'person', id: person.id, name: person.name, roles } };
}
