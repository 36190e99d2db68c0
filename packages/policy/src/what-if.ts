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

/** A call that stands for several that agree in everything that decisions depend on. */
export interface WeighedCall extends CallRequest {
  readonly calls?: number;
  readonly firstAt?: number;
  readonly lastAt?: number;
}

type Group = { -readonly [K in keyof DecisionChange]: DecisionChange[K] };

/**
 * Decides recorded calls under two authorizers and reports what differs in effect, or in the policies that decide.
 * Calls are grouped by integration, app, operation and outcome, so that a month of traffic gives a page to read.
 */
export function compareDecisions(before: Authorizer, after: Authorizer, calls: Iterable<WeighedCall>): WhatIf {
  const groups = new Map<string, Group>();
  const totals = { calls: 0, wouldBreak: 0, wouldOpen: 0 };
  for (const call of calls) {
    const count = call.calls ?? 1;
    totals.calls += count;
    const was = before.decide(call);
    const is = after.decide(call);
    if (signature(was) === signature(is)) continue;
    const allowed = [was.decision === 'allow', is.decision === 'allow'];
    if (allowed[0] && !allowed[1]) totals.wouldBreak += count;
    if (!allowed[0] && allowed[1]) totals.wouldOpen += count;
    addTo(groups, call, was, is);
  }
  return { ...totals, changes: [...groups.values()].sort((a, b) => b.calls - a.calls) };
}

function addTo(groups: Map<string, Group>, call: WeighedCall, before: Decision, after: Decision): void {
  const { integrationId, appId, operationId, context } = call;
  const { calls = 1, firstAt = context.time, lastAt = context.time } = call;
  const key = JSON.stringify([integrationId, appId, operationId, signature(before), signature(after)]);
  const group = groups.get(key);
  if (group) {
    group.calls += calls;
    group.firstAt = Math.min(group.firstAt, firstAt);
    group.lastAt = Math.max(group.lastAt, lastAt);
    return;
  }
  groups.set(key, { integrationId, appId, operationId, before, after, calls, firstAt, lastAt });
}

function signature(decision: Decision): string {
  return [decision.decision, ...decision.policies.map(({ id }) => id).sort()].join(' ');
}
