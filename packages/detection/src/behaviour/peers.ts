/** What one entity works with: a word (`operation:files.list`, `app:Box`, `group:finance`) and how often. */
export interface Work {
  readonly type: string;
  readonly id: string;
  readonly work: readonly (readonly [string, number])[];
}

export interface Peer {
  readonly id: string;
  /** Cosine of the two, 0 to 1. */
  readonly similarity: number;
}

const PEERS_MAX = 20;
/** Below this two have little in common but what everybody does. */
const SIMILARITY_MIN = 0.2;
/** A word that more entities share says little and costs the most to compare. */
const HOLDERS_MAX = 2_000;

/**
 * For each entity the most similar of its kind: TF-IDF over what it works with, cosine, the best 20. Goes over an
 * inverted index, so that only entities with a word in common are compared.
 */
export function findPeers(all: readonly Work[]): ReadonlyMap<string, readonly Peer[]> {
  const found = new Map<string, readonly Peer[]>();
  for (const [type, kind] of Map.groupBy(all, (one) => one.type)) {
    for (const [id, peers] of peersOfKind(kind)) found.set(`${type}\0${id}`, peers);
  }
  return found;
}

function peersOfKind(kind: readonly Work[]): Map<string, Peer[]> {
  const holders = new Map<string, { index: number; weight: number }[]>();
  for (const [index, { work }] of kind.entries()) {
    for (const [word, count] of work) {
      const held = holders.get(word);
      const weight = 1 + Math.log(Math.max(1, count));
      if (held) held.push({ index, weight });
      else holders.set(word, [{ index, weight }]);
    }
  }
  const lengths = Array.from(kind, () => 0);
  const idfOf = (held: number): number => Math.log((1 + kind.length) / (1 + held)) + 0.1;
  for (const held of holders.values()) {
    const idf = idfOf(held.length);
    for (const { index, weight } of held) lengths[index] = (lengths[index] ?? 0) + (weight * idf) ** 2;
  }
  return new Map(
    kind.map(({ id, work }, index) => {
      const products = new Map<number, number>();
      for (const [word, count] of work) {
        const held = holders.get(word) ?? [];
        if (held.length > HOLDERS_MAX) continue;
        const own = (1 + Math.log(Math.max(1, count))) * idfOf(held.length) ** 2;
        for (const other of held) {
          if (other.index !== index) products.set(other.index, (products.get(other.index) ?? 0) + own * other.weight);
        }
      }
      const peers = [...products].flatMap(([other, product]) => {
        const similarity = product / Math.sqrt((lengths[index] ?? 0) * (lengths[other] ?? 0));
        const peer = kind[other];
        return peer && similarity >= SIMILARITY_MIN ? [{ id: peer.id, similarity: Math.min(1, similarity) }] : [];
      });
      return [id, peers.sort((a, b) => b.similarity - a.similarity).slice(0, PEERS_MAX)];
    }),
  );
}
