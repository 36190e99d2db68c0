import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { NotAvailable } from './errors.ts';
import { fingerprint } from './fingerprint.ts';
import { loadFingerprintKey } from './fingerprint-key.ts';
import { listPlaces } from './print-store.ts';
import { coversRecord, type Exemption } from './retention-rule.ts';
import { loadExemptions } from './retention-store.ts';
import { createMatcher, kindOf, type Matcher, matchRecord, type SubjectIdentifier } from './subject-identifier.ts';
import type { SubjectRecord, SubjectSource, SubjectTools } from './subject-ports.ts';
import {
  openIdentifiers,
  type PlannedTarget,
  type SubjectGap,
  type SubjectRequest,
  TARGETS_MAX,
} from './subject-store.ts';

export interface SubjectDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly tools: SubjectTools;
}

/** An account is ended where people are, by the leaver's list; no connector erases one. */
export const ACCOUNT = 'account';

export interface FoundRecord {
  readonly source: SubjectSource;
  readonly record: SubjectRecord;
  readonly fields: readonly string[];
  readonly kinds: readonly string[];
}

export const recordKey = (connectionId: string, object: string, id: string): string =>
  [connectionId, object, id].join('\0');

export function matchersOf(identifiers: readonly SubjectIdentifier[]): Matcher[] {
  return identifiers.flatMap((one) => createMatcher(one) ?? []);
}

/** Fingerprints of what was asked for, under the key in force. */
export async function printsOf(
  deps: Pick<SubjectDeps, 'db' | 'envelope'>,
  identifiers: readonly SubjectIdentifier[],
): Promise<Buffer[]> {
  const key = await loadFingerprintKey(deps.db, deps.envelope);
  if (!key) return [];
  return identifiers.flatMap(({ value, kind = kindOf(value) }) => {
    const print = kind === 'text' ? null : fingerprint(key.key, kind, value);
    return print ? [print] : [];
  });
}

/**
 * Reads every record stream and every account of the tools that can be asked, and gives what names the person. A stream
 * that can't be read is a gap that is said; it hides nothing of the others.
 */
export async function* readPerson(
  { tools }: Pick<SubjectDeps, 'tools'>,
  matchers: readonly Matcher[],
  purpose: string,
  seen: { readonly gaps: SubjectGap[]; readonly objects: Set<string> },
  only?: ReadonlySet<string>,
): AsyncGenerator<FoundRecord> {
  for (const source of await tools.list()) {
    if (only && !only.has(source.connectionId)) continue;
    const found = (record: SubjectRecord): FoundRecord | null => {
      seen.objects.add(`${source.app}\0${record.object}`);
      const match = matchRecord({ id: record.id, title: record.title, content: record.content }, matchers);
      return match ? { source, record, ...match } : null;
    };
    for (const stream of source.streams) {
      try {
        for await (const record of tools.read(source.connectionId, stream, purpose)) {
          const one = found(record);
          if (one) yield one;
        }
      } catch (error) {
        if (!(error instanceof NotAvailable)) throw error;
        seen.gaps.push({ app: source.app, what: stream, because: error.message });
      }
    }
    for await (const record of tools.accounts(source.connectionId)) {
      const one = found(record);
      if (one) yield one;
    }
  }
}

/** Legal holds that stand; a request has no rule, so no exception is one of its. */
export async function listStandingHolds({ db, clock }: Pick<SubjectDeps, 'db' | 'clock'>): Promise<Exemption[]> {
  return (await loadExemptions(db, '', new Date(clock.now()))).holds;
}

function targetOf(found: FoundRecord, request: SubjectRequest, holds: readonly Exemption[]): PlannedTarget {
  const { source, record, fields, kinds } = found;
  const { connectionId, app } = source;
  const place = { connectionId, app, object: record.object, recordId: record.id, parentId: record.parentId };
  const base = { ...place, url: record.url, fields, kinds, way: null, action: null, reason: null };
  if (request.kind === 'export') return { ...base, status: 'planned' };
  const hold = holds.find(({ scope }) => coversRecord(scope, { ...place, id: record.id }));
  if (hold) return { ...base, status: 'held', reason: hold.name };
  if (record.object === ACCOUNT) {
    return { ...base, status: 'task', reason: 'An account: end it in the tool, or as a leaver.' };
  }
  const way = source.way(record.object, request.kind);
  if (!way) return { ...base, status: 'task', reason: `The tool has no way to ${request.kind} a ${record.object}.` };
  return { ...base, way: way.way, action: way.action, status: 'planned' };
}

/** Places that a fingerprint knows and no connector shows: a person must look there. */
async function placesUnread(
  deps: SubjectDeps,
  identifiers: readonly SubjectIdentifier[],
  objects: ReadonlySet<string>,
): Promise<PlannedTarget[]> {
  const targets = new Map<string, PlannedTarget>();
  for (const print of await printsOf(deps, identifiers)) {
    for (const { app, object, lastSeen } of await listPlaces(deps.db, print)) {
      if (objects.has(`${app}\0${object}`)) continue;
      targets.set(`${app}\0${object}`, {
        connectionId: '',
        app,
        object,
        recordId: object,
        parentId: null,
        url: null,
        fields: [],
        kinds: ['fingerprint'],
        way: null,
        action: null,
        status: 'task',
        reason: `Seen here until ${lastSeen.toISOString().slice(0, 10)}, by its fingerprint; no connector reads ${object}.`,
      });
    }
  }
  return [...targets.values()];
}

/** Everything about the person, and what is to become of it. Contents are looked at and dropped. */
export async function searchPerson(
  deps: SubjectDeps,
  request: SubjectRequest,
): Promise<{ readonly targets: readonly PlannedTarget[]; readonly gaps: readonly SubjectGap[] }> {
  const identifiers = await openIdentifiers(deps.db, deps.envelope, request.id);
  const holds = await listStandingHolds(deps);
  const seen = { gaps: [] as SubjectGap[], objects: new Set<string>() };
  const targets = new Map<string, PlannedTarget>();
  let beyond = 0;
  const purpose = `subject request: ${request.id}`;
  for await (const found of readPerson(deps, matchersOf(identifiers), purpose, seen)) {
    const key = recordKey(found.source.connectionId, found.record.object, found.record.id);
    if (targets.size >= TARGETS_MAX && !targets.has(key)) beyond += 1;
    else targets.set(key, targetOf(found, request, holds));
  }
  if (beyond > 0) {
    seen.gaps.push({ app: '', what: 'records', because: `${beyond} more than ${TARGETS_MAX}: run again afterwards` });
  }
  const unread = await placesUnread(deps, identifiers, seen.objects);
  return { targets: [...targets.values(), ...unread].slice(0, TARGETS_MAX), gaps: seen.gaps };
}
