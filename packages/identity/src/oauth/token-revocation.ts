import type { Actor, Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { announceRevoked } from './token-announcement.ts';
import { deleteTokens, type TokenScope } from './token-store.ts';

export interface EndedTokens {
  readonly tokens: number;
}

/** Deletes tokens, moves the epoch through the composition's callback and announces it: all in the one transaction. */
export async function endTokens(
  context: IdentityContext,
  tx: Transaction,
  scope: TokenScope,
  cause: {
    readonly actor: Actor;
    readonly reason: string;
    readonly clientId?: string;
    readonly integrationId?: string;
  },
): Promise<EndedTokens> {
  const deleted = await deleteTokens(tablesOf(tx), scope);
  const tokens = deleted.map(({ hash, expiresAt }) => ({ hash, expiresAt }));
  // Also without tokens: a client or integration ended, and short-lived JWTs of it may be about.
  const needed = tokens.length > 0 || cause.clientId !== undefined || cause.integrationId !== undefined;
  if (needed) {
    await context.onRevoked(tx, { ...cause, tokens });
    await announceRevoked(
      tx,
      tokens.map((token) => token.hash),
    );
  }
  return { tokens: tokens.length };
}
