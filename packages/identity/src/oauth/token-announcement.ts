import type { Database, Logger, Transaction } from '@cordon/kernel';

/**
 * PostgreSQL channel that tells of tokens: `{"issued":["<hex>"]}` or `{"revoked":["<hex>"]}`; an empty list means
 * "look again". A notification is a hint that may be lost; the tables are the truth.
 */
export const TOKENS_CHANNEL = 'cordon_tokens';

/** 100 hashes of 64 characters stay below PostgreSQL's 8,000 bytes for a payload. */
const HASHES_PER_NOTICE_MAX = 100;
/** Issued tokens are announced together: a NOTIFY per token would make every commit wait for one global lock. */
const ISSUED_DELAY_MS = 10;

/** In the transaction of the revocation: delivered exactly when it commits. */
export async function announceRevoked(tx: Transaction, hashes: readonly string[]): Promise<void> {
  const listed = hashes.length > HASHES_PER_NOTICE_MAX ? [] : hashes;
  await tx.notify(TOKENS_CHANNEL, JSON.stringify({ revoked: listed }));
}

export interface IssuedAnnouncer {
  add(hash: string): void;
  /** Sends what waits. */
  flush(): Promise<void>;
}

export function createIssuedAnnouncer(db: Database, logger: Logger): IssuedAnnouncer {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | null = null;

  const flush = async (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    const hashes = waiting;
    waiting = [];
    if (hashes.length === 0) return;
    const listed = hashes.length > HASHES_PER_NOTICE_MAX ? [] : hashes;
    try {
      await db.notify(TOKENS_CHANNEL, JSON.stringify({ issued: listed }));
    } catch (error) {
      // Gateways ask for tokens that they don't know, so a lost hint costs one question.
      logger.warn({ err: error }, 'could not announce issued tokens');
    }
  };

  return {
    add(hash) {
      waiting.push(hash);
      timer ??= setTimeout(() => void flush(), ISSUED_DELAY_MS).unref();
    },
    flush,
  };
}
