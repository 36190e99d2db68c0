import type { PublishEntries } from './fingerprint-key.ts';

/** Keeps what would go to gateways. */
export function createFakePublisher(): { readonly entries: Map<string, unknown>; readonly publish: PublishEntries } {
  const entries = new Map<string, unknown>();
  return {
    entries,
    publish: async (_tx, { set = [], remove = [] }) => {
      for (const [key, value] of set) entries.set(key, value);
      for (const key of remove) entries.delete(key);
    },
  };
}
