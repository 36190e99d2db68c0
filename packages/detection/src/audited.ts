import {
  type Actor,
  appendAudit,
  authorize,
  type AuditTarget,
  type Database,
  type Permission,
  type Transaction,
} from '@cordon/kernel';

export interface Change<T> {
  readonly result: T;
  /** What the audit trail says of it. */
  readonly action: string;
  readonly target: AuditTarget;
  readonly detail?: Record<string, unknown>;
}

/** One change and its audit record, in one transaction, by somebody who may. */
export async function audited<T>(
  db: Database,
  by: { readonly actor: Actor; readonly permission: Permission; readonly at: number },
  change: (tx: Transaction) => Promise<Change<T>>,
): Promise<T> {
  const { actor, permission, at } = by;
  authorize(actor, permission);
  return db.transaction(async (tx) => {
    const { result, ...record } = await change(tx);
    await appendAudit(tx, { actor, ...record, at });
    return result;
  });
}
