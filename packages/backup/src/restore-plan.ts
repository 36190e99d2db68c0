import { canonicalJson } from '@cordon/kernel';
import type { RestoreAction, RestoreOp } from './app-port.ts';
import type { BackupRecord } from './backup-record.ts';
import type { FileFacts } from './file-bytes.ts';

export interface RestoreItem {
  /** `cannot`: it differs, and the tool's interface has no way to put it right. */
  readonly op: RestoreOp | 'cannot';
  readonly record: BackupRecord;
  readonly action: string | null;
  /** Why it can't be done, or what it won't bring back. */
  readonly note: string | null;
}

export interface RestorePlan {
  readonly items: readonly RestoreItem[];
  readonly same: number;
}

const keyOf = ({ object, id }: Pick<BackupRecord, 'object' | 'id'>): string => JSON.stringify([object, id]);
/** What a restore can bring back; moments and people are the tool's to write. */
const essence = ({ title, content }: BackupRecord): string => canonicalJson({ title, content });

/** Parents before children; records without a parent in the plan keep their order. */
export function inDependencyOrder(records: readonly BackupRecord[]): BackupRecord[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const ordered: BackupRecord[] = [];
  const state = new Map<BackupRecord, 'open' | 'done'>();
  for (const start of records) {
    // A stack of our own: a chain of parents may be as long as the data.
    const chain: BackupRecord[] = [];
    let next: BackupRecord | undefined = start;
    while (next && !state.has(next)) {
      state.set(next, 'open'); // a loop of parents ends here
      chain.push(next);
      next = next.parentId === null ? undefined : byId.get(next.parentId);
    }
    for (const record of chain.toReversed()) {
      state.set(record, 'done');
      ordered.push(record);
    }
  }
  return ordered;
}

/** Why a file can't be uploaded; it can still be restored to a file. */
function whyNoBytes(facts: FileFacts | null, max: number): string | null {
  if (facts?.sha256 == null || facts.bytes === null)
    return `The snapshot has no bytes of it${facts?.notRead ? `: ${facts.notRead}` : ''}.`;
  return facts.bytes > max
    ? `It has ${facts.bytes} bytes, and the tool's interface takes ${max}: restore it to a file.`
    : null;
}

/**
 * What would make the app hold `wanted` again: creates, updates, and with `removeExtra` deletes of what is in `live`
 * and wasn't there. `newIds` tells under which id an earlier restore brought a record back.
 */
export async function planRestore(input: {
  readonly wanted: readonly BackupRecord[];
  readonly live: readonly BackupRecord[];
  readonly removeExtra: boolean;
  readonly actions: readonly RestoreAction[];
  readonly newIds: ReadonlyMap<string, string>;
  /** What the snapshot has of a record's bytes; null: it is no file, or they were never there. */
  readonly bytesOf?: (record: BackupRecord) => Promise<FileFacts | null>;
  /** Whether the app holds other bytes than the snapshot, of a record that is in both. */
  readonly differs?: (wanted: BackupRecord, now: BackupRecord, facts: FileFacts) => Promise<boolean>;
}): Promise<RestorePlan> {
  const { wanted, live, actions, newIds } = input;
  const liveByKey = new Map(live.map((record) => [keyOf(record), record]));
  const kept = new Set<string>();
  let same = 0;
  const make = (op: RestoreOp, record: BackupRecord, facts: FileFacts | null = null): RestoreItem => {
    const fits = actions.filter((one) => one.op === op && one.object === record.object);
    const action =
      op === 'delete' ? fits[0] : (fits.find(({ fileBytesMax }) => (fileBytesMax ?? null) !== null) ?? fits[0]);
    const max = op === 'delete' ? null : (action?.fileBytesMax ?? null);
    if (action && max !== null) {
      const why = whyNoBytes(facts, max);
      if (why !== null) return { op: 'cannot', record, action: null, note: why };
      return {
        op,
        record,
        action: action.name,
        note: [`Uploads ${facts?.bytes ?? 0} bytes.`, action.note].filter(Boolean).join(' '),
      };
    }
    if (action) return { op, record, action: action.name, note: action.note };
    return {
      op: 'cannot',
      record,
      action: null,
      note: `The tool's interface has no way to ${op} a record of ${record.object}.`,
    };
  };
  const items: RestoreItem[] = [];
  for (const record of inDependencyOrder(wanted)) {
    const id = newIds.get(keyOf(record)) ?? record.id;
    const key = keyOf({ object: record.object, id });
    const now = liveByKey.get(key);
    kept.add(key);
    const facts = (await input.bytesOf?.(record)) ?? null;
    const hasOtherBytes = now && facts?.sha256 != null && (await input.differs?.(record, now, facts)) === true;
    if (!now) items.push(make('create', record, facts));
    else if (essence(now) !== essence(record) || hasOtherBytes) items.push(make('update', { ...record, id }, facts));
    else same += 1;
  }
  if (input.removeExtra) {
    const extra = live.filter((record) => !kept.has(keyOf(record)));
    for (const record of inDependencyOrder(extra).toReversed()) items.push(make('delete', record));
  }
  return { items, same };
}
