import type { Authorizer } from './authorizer.ts';
import type { CallRequest, Decision } from './decision.ts';

/** A group of recorded calls that a change would decide differently. */
export interface DecisionChange {
  readonly integrationId: string;
  readonly appId: string;
  readonly operationId: string;
  readonly before: Decision;
  readonly after: Decision;
  /** Calls in this group, and when the first and last were made (milliseconds since the epoch). */
  readonly calls: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface WhatIf {
  readonly calls: number;
  /** Calls let through now that would be refused, and the other way round. */
  readonly wouldBreak: number;
  readonly wouldOpen: number;
  /** Largest groups first. */
  readonly changes: readonly DecisionChange[];
}

type Group = { -readonly [K in keyof DecisionChange]: DecisionChange[K] };

/**
 * Decides recorded calls under two authorizers and reports what differs in effect, or in the policies that decide.
 * Calls are grouped by integration, app, operation and outcome, so that a month of traffic gives a page to read.
 */
export function compareDecisions(before: Authorizer, after: Authorizer, calls: Iterable<CallRequest>): WhatIf {
  const groups = new Map<string, Group>();
  const totals = { calls: 0, wouldBreak: 0, wouldOpen: 0 };
  for (const call of calls) {
    totals.calls += 1;
    const was = before.decide(call);
    const is = after.decide(call);
    if (signature(was) === signature(is)) continue;
    const allowed = [was.decision === 'allow', is.decision === 'allow'];
    if (allowed[0] && !allowed[1]) totals.wouldBreak += 1;
    if (!allowed[0] && allowed[1]) totals.wouldOpen += 1;
    addTo(groups, call, was, is);
  }
  return { ...totals, changes: [...groups.values()].sort((a, b) => b.calls - a.calls) };
}

function addTo(groups: Map<string, Group>, call: CallRequest, before: Decision, after: Decision): void {
  const { integrationId, appId, operationId, context } = call;
  const key = JSON.stringify([integrationId, appId, operationId, signature(before), signature(after)]);
  const group = groups.get(key);
  if (group) {
    group.calls += 1;
    group.firstAt = Math.min(group.firstAt, context.time);
    group.lastAt = Math.max(group.lastAt, context.time);
    return;
  }
  const at = { firstAt: context.time, lastAt: context.time };
  groups.set(key, { integrationId, appId, operationId, before, after, calls: 1, ...at });
}

function signature(decision: Decision): string {
  return [decision.decision, ...decision.policies.map(({ id }) => id).sort()].join(' ');
}
