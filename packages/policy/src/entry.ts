import type { z } from 'zod';
import {
  grantEntry,
  integrationEntry,
  jwkEntry,
  policyEntry,
  revokedEntry,
  tokenEntry,
  unlockEntry,
} from './access-entry.ts';
import { appEntry, credentialEntry, sha256Hex } from './app-entry.ts';
import { dataLabelEntry, fingerprintKeyEntry, ownDetectorEntry } from './data-entry.ts';
import { SnapshotInvalid } from './errors.ts';
import { graphqlSchemaEntry } from './graphql-entry.ts';
import { mcpItemEntry } from './mcp-entry.ts';
import { proxyEntry } from './proxy-entry.ts';
import { requirementEntry } from './requirement-entry.ts';
import { inspectionEntry, inspectionPassEntry, limitEntry, tokenKeyEntry } from './rule-entry.ts';
import { webhookEntry } from './webhook-entry.ts';

/** One schema for each kind of entry; a key is `<kind>:<name>`. */
export const entrySchemas = {
  app: appEntry,
  credential: credentialEntry,
  integration: integrationEntry,
  grant: grantEntry,
  policy: policyEntry,
  inspection: inspectionEntry,
  limit: limitEntry,
  requirement: requirementEntry,
  token: tokenEntry,
  revoked: revokedEntry,
  unlock: unlockEntry,
  jwk: jwkEntry,
  'mcp-item': mcpItemEntry,
  'graphql-schema': graphqlSchemaEntry,
  webhook: webhookEntry,
  proxy: proxyEntry,
  'data-label': dataLabelEntry,
  'fingerprint-key': fingerprintKeyEntry,
  'own-detector': ownDetectorEntry,
  'inspection-pass': inspectionPassEntry,
  'token-key': tokenKeyEntry,
} as const;

export type EntryKind = keyof typeof entrySchemas;
/** What readers get: every default filled in. */
export type EntryOf<K extends EntryKind> = z.output<(typeof entrySchemas)[K]>;
/** What writers give: defaults may be left out. */
export type EntryInputOf<K extends EntryKind> = z.input<(typeof entrySchemas)[K]>;
export type EntryKey<K extends EntryKind = EntryKind> = `${K}:${string}`;
export type SnapshotEntry = EntryOf<EntryKind>;
export type Entries = ReadonlyMap<string, SnapshotEntry>;

const PROBLEMS_MAX = 5;

/** The name that an entry's own content repeats, so that a key can't be attached to another's entry. */
const nameIn: Record<EntryKind, string | null> = {
  app: 'id',
  credential: 'id',
  integration: 'id',
  grant: 'id',
  policy: 'id',
  inspection: 'id',
  limit: 'id',
  requirement: 'id',
  token: null,
  revoked: null,
  unlock: null,
  jwk: 'kid',
  'mcp-item': 'id',
  'graphql-schema': 'id',
  webhook: 'id',
  proxy: 'id',
  'data-label': 'id',
  'fingerprint-key': 'id',
  'own-detector': 'id',
  'inspection-pass': 'id',
  'token-key': 'id',
};

/** Splits `app:0190…` into its kind and name, or null when the kind is none we know. */
export function parseEntryKey(key: string): { kind: EntryKind; name: string } | null {
  const colon = key.indexOf(':');
  const kind = key.slice(0, Math.max(colon, 0));
  return Object.hasOwn(entrySchemas, kind) && colon + 1 < key.length
    ? { kind: kind as EntryKind, name: key.slice(colon + 1) } // hasOwn just proved it
    : null;
}

/**
 * Checks one entry against its kind's schema and its key.
 *
 * An unknown kind is refused rather than skipped: a restriction that this build doesn't know must not be dropped.
 *
 * @throws {SnapshotInvalid} naming key and field.
 */
export function parseEntry(key: string, value: unknown): SnapshotEntry {
  const parsedKey = parseEntryKey(key);
  if (!parsedKey) throw new SnapshotInvalid(`entry "${key}" is of no known kind`, { key });
  const { kind, name } = parsedKey;
  const result = entrySchemas[kind].safeParse(value);
  if (!result.success) {
    const problems = result.error.issues
      .slice(0, PROBLEMS_MAX)
      .map((issue) => `${issue.path.map(String).join('.') || '(entry)'}: ${issue.message}`);
    throw new SnapshotInvalid(`entry "${key}" is not a valid ${kind}: ${problems.join('; ')}`, { key, problems });
  }
  const entry: SnapshotEntry = result.data;
  const field = nameIn[kind];
  const matches = field === null ? sha256Hex.safeParse(name).success : Reflect.get(entry, field) === name;
  if (!matches) throw new SnapshotInvalid(`entry "${key}" doesn't carry the name in its key`, { key });
  return entry;
}

/** One entry by kind and name. */
export function getEntry<K extends EntryKind>(entries: Entries, kind: K, name: string): EntryOf<K> | undefined {
  // Entries are only ever built by parseEntry, which ties a key's kind to its value's shape.
  return entries.get(`${kind}:${name}`) as EntryOf<K> | undefined;
}

/** All entries of one kind. */
export function listEntries<K extends EntryKind>(entries: Entries, kind: K): EntryOf<K>[] {
  const prefix = `${kind}:`;
  const found: EntryOf<K>[] = [];
  for (const [key, entry] of entries) if (key.startsWith(prefix)) found.push(entry as EntryOf<K>); // as in getEntry
  return found;
}
