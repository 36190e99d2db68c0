import { canonicalJson } from '@cordon/kernel';
import type { RestoreAction, RestoreOp } from './app-port.ts';
import type { BackupRecord } from './backup-record.ts';

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

/**
 * What would make the app hold `wanted` again: creates, updates, and with `removeExtra` deletes of what is in `live`
 * and wasn't there. `newIds` tells under which id an earlier restore brought a record back.
 */
export function planRestore(input: {
  readonly wanted: readonly BackupRecord[];
  readonly live: readonly BackupRecord[];
  readonly removeExtra: boolean;
  readonly actions: readonly RestoreAction[];
  readonly newIds: ReadonlyMap<string, string>;
}): RestorePlan {
  const { wanted, live, actions, newIds } = input;
  const liveByKey = new Map(live.map((record) => [keyOf(record), record]));
  const kept = new Set<string>();
  let same = 0;
  const make = (op: RestoreOp, record: BackupRecord): RestoreItem => {
    const action = actions.find((one) => one.op === op && one.object === record.object);
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
    if (!now) items.push(make('create', record));
    else if (essence(now) !== essence(record)) items.push(make('update', { ...record, id }));
    else same += 1;
  }
  if (input.removeExtra) {
    const extra = live.filter((record) => !kept.has(keyOf(record)));
    for (const record of inDependencyOrder(extra).toReversed()) items.push(make('delete', record));
  }
  return { items, same };
}
