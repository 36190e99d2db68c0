import type { Identity } from '@cordon/identity';
import type { Actor } from '@cordon/kernel';

const PAGE = 200;
const PEOPLE_MAX = 50_000;
const ACTOR: Actor = { kind: 'system', name: 'enrichment' };

/** Everybody in the directory, page by page. */
export async function listEverybody(identity: Identity): Promise<{ id: string; email: string; name: string }[]> {
  const all: { id: string; email: string; name: string }[] = [];
  for (let after: Parameters<Identity['people']['list']>[1]['after']; all.length < PEOPLE_MAX;) {
    const page = await identity.people.list(ACTOR, { after, limit: PAGE });
    all.push(...page);
    after = page.at(-1)?.id;
    if (page.length < PAGE) break;
  }
  return all;
}
