import type { Transaction } from '@cordon/kernel';
import { type IdentityContext, tablesOf } from '../context.ts';
import { findToken, listLiveTokens, type LiveToken, takeUnpublishedTokens } from './token-store.ts';

/** The narrow read model of access tokens, for whoever tells gateways about them. Values are never in it. */
export interface TokenReader {
  /** One live token by the hex SHA-256 of its value. */
  find(hash: string): Promise<LiveToken | null>;
  /** All live tokens in the order of their hash, at most 1,000; page on with the last hash. */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<LiveToken[]>;
  /** Those not taken before, marked as taken in the caller's transaction. */
  takeUnpublished(tx: Transaction, limit: number): Promise<LiveToken[]>;
}

export function createTokenReader(context: IdentityContext): TokenReader {
  const { db, clock } = context;
  return {
    find: (hash) => findToken(tablesOf(db), hash, clock.now()),
    list: (page) => listLiveTokens(tablesOf(db), { ...page, now: clock.now() }),
    takeUnpublished: (tx, limit) => takeUnpublishedTokens(tx, clock.now(), limit),
  };
}
