import { createHash } from 'node:crypto';
import { covers, type GrantSelector } from '@cordon/policy';
import type { Grant } from '../grant.ts';
import type { OperationTable, OperationUse, WindowDays } from './used.ts';

export interface GrantProposal {
  readonly grantId: string;
  readonly name: string;
  readonly appId: string;
  readonly change: 'keep' | 'narrow' | 'remove';
  readonly before: readonly GrantSelector[];
  /** Empty: the grant goes. */
  readonly after: readonly GrantSelector[];
  /** Operations that stay because they were used in the window. */
  readonly used: readonly string[];
  /** Operations that stay only for the margin: used in 180 days, and not in the window. */
  readonly margin: readonly string[];
  /** Operations that go. */
  readonly dropped: readonly string[];
}

export interface AccessProposal {
  readonly integrationId: string;
  readonly windowDays: WindowDays;
  readonly withMargin: boolean;
  readonly observedDays: number;
  readonly grants: readonly GrantProposal[];
  /** What the proposal rests on, in words that a reviewer should read first. */
  readonly notes: readonly string[];
  readonly digest: string;
}

const IDS_MAX = 5_000;

function callsIn(use: OperationUse, days: WindowDays): number {
  return use.calls[`d${days}`] ?? 0;
}

/** A selector that is used in all it covers stays as it was written; of others the operations that were used stay. */
function narrowed(grant: Grant, kept: ReadonlySet<string>, table: OperationTable): GrantSelector[] {
  const whole: GrantSelector[] = [];
  const rest = new Set(kept);
  for (const selector of grant.select) {
    const covered = table.list(grant.appId).filter((operation) => covers(selector, operation));
    // Access selectors also cover calls that no description knows; they can't be said to be used whole.
    const isWhole = selector.kind !== 'access' && covered.length > 0 && covered.every(({ id }) => kept.has(id));
    if (!isWhole || selector.kind === 'operations') continue;
    whole.push(selector);
    for (const { id } of covered) rest.delete(id);
  }
  const ids = [...rest].sort().slice(0, IDS_MAX);
  return ids.length === 0 ? whole : [...whole, { kind: 'operations', ids }];
}

/** The smallest grants that cover what was used, grant by grant. A rare job's operations stay when a margin is asked for. */
export function proposeAccess(input: {
  readonly integrationId: string;
  readonly grants: readonly Grant[];
  readonly operations: readonly OperationUse[];
  readonly table: OperationTable;
  readonly windowDays: WindowDays;
  readonly withMargin: boolean;
  readonly observedDays: number;
}): AccessProposal {
  const { integrationId, grants, operations, table, windowDays, withMargin, observedDays } = input;
  const proposals = grants.map((grant): GrantProposal => {
    const covered = operations.filter(
      (one) =>
        one.appId === grant.appId &&
        one.grants.includes(grant.name) &&
        // Ids that neither the description nor a method names (an unresolved call) can't be granted.
        table.find(one.appId, one.operation) !== undefined,
    );
    const used = covered.filter((one) => callsIn(one, windowDays) > 0).map(({ operation }) => operation);
    const rare = covered.filter((one) => callsIn(one, windowDays) === 0 && callsIn(one, 180) > 0);
    const margin = withMargin ? rare.map(({ operation }) => operation) : [];
    const kept = new Set([...used, ...margin]);
    const dropped = covered.map(({ operation }) => operation).filter((id) => !kept.has(id));
    const isOpen = grant.select.some(({ kind }) => kind === 'access');
    const after = kept.size === 0 ? [] : dropped.length === 0 && !isOpen ? grant.select : narrowed(grant, kept, table);
    const change = kept.size === 0 ? 'remove' : after === grant.select ? 'keep' : 'narrow';
    const { id: grantId, name, appId, select: before } = grant;
    return { grantId, name, appId, change, before, after, used, margin, dropped };
  });
  const notes = [
    ...(observedDays < windowDays
      ? [`Traffic has been recorded for ${observedDays} days only: jobs that run more seldom are not in it.`]
      : []),
    ...(proposals.some(({ margin }) => margin.length > 0)
      ? [`Operations used in the last 180 days but not in the last ${windowDays} stay as a margin for rare jobs.`]
      : []),
  ];
  const digest = createHash('sha256')
    .update(JSON.stringify([integrationId, proposals.map(({ grantId, before, after }) => [grantId, before, after])]))
    .digest('hex');
  return { integrationId, windowDays, withMargin, observedDays, grants: proposals, notes, digest };
}
