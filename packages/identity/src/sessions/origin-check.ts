import { OriginRefused } from '../errors.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface OriginFacts {
  readonly method: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Whether the request carries a session cookie, so that a browser may have been tricked into sending it. */
  readonly hasCookie: boolean;
}

/**
 * Defence against cross-site request forgery: a request that changes something must say that it comes from our own
 * pages. Programs that send neither Origin nor a cookie pass: no browser was involved.
 */
export function checkOrigin(facts: OriginFacts, allowed: readonly string[]): void {
  if (SAFE_METHODS.has(facts.method)) return;
  if (facts.origin !== undefined) {
    if (allowed.includes(facts.origin)) return;
    throw new OriginRefused('This request came from another site and was refused.', { origin: facts.origin });
  }
  if (facts.fetchSite !== undefined && facts.fetchSite !== 'same-origin') {
    throw new OriginRefused('This request came from another site and was refused.');
  }
  if (facts.hasCookie && facts.fetchSite === undefined) {
    throw new OriginRefused('A request with a session cookie must carry an Origin header.');
  }
}
