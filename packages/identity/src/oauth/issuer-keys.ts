import type { Clock } from '@cordon/kernel';
import { decodeProtectedHeader } from 'jose';
import { parsePublicKeys, type PublicJwk } from './client.ts';
import type { Federation } from './federation.ts';

/** Gives the JSON at an https address; the composition decides how, and to which networks. */
export type FetchJson = (url: string) => Promise<unknown>;

const FRESH_MS = 10 * 60_000;
/** An unknown key id makes us look again, but not more often than this: anybody can send one. */
const AGAIN_MS = 30_000;
const ISSUERS_MAX = 500;

export interface IssuerKeys {
  /** The keys to check an assertion with. */
  keysFor(federation: Pick<Federation, 'keys'>, assertion: string): Promise<readonly PublicJwk[]>;
}

interface Cached {
  readonly keys: readonly PublicJwk[];
  readonly at: number;
}

function keyIdOf(assertion: string): string | undefined {
  try {
    return decodeProtectedHeader(assertion).kid;
  } catch {
    return undefined;
  }
}

/** Issuers rotate their keys, so what was fetched is kept for ten minutes and fetched again for a key that is new. */
export function createIssuerKeys(clock: Clock, fetchJson: FetchJson | undefined): IssuerKeys {
  const cache = new Map<string, Cached>();
  return {
    async keysFor({ keys }, assertion) {
      if ('jwks' in keys) return keys.jwks.keys;
      const now = clock.now();
      const kid = keyIdOf(assertion);
      const known = cache.get(keys.jwksUri);
      const has = known?.keys.some((key) => kid === undefined || key.kid === kid) ?? false;
      if (known && now - known.at < (has ? FRESH_MS : AGAIN_MS)) return known.keys;
      if (!fetchJson) return [];
      const fetched = { keys: usableKeys(await fetchJson(keys.jwksUri)), at: now };
      if (cache.size >= ISSUERS_MAX) cache.clear();
      cache.set(keys.jwksUri, fetched);
      return fetched.keys;
    },
  };
}

/** Issuers publish keys of many kinds; what can't be used here is left out instead of refusing them all. */
function usableKeys(document: unknown): PublicJwk[] {
  const listed: unknown = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : [];
  if (!Array.isArray(listed)) return [];
  return listed.slice(0, 50).flatMap((key: unknown) => {
    try {
      return parsePublicKeys({ keys: [key] }).keys;
    } catch {
      return [];
    }
  });
}
