import type { GrantEntry, IntegrationEntry } from './access-entry.ts';
import type { AppEntry } from './app-entry.ts';
import { statusAt } from './authorization-request.ts';
import type { Named } from './decision.ts';
import type { OperationFacts } from './grant-selector.ts';

const VALUES_SHOWN_MAX = 3;

export interface ExplainedCall {
  readonly integration: IntegrationEntry;
  readonly app: AppEntry;
  readonly operation: OperationFacts;
  readonly time: number;
}

export function explainAllow(call: ExplainedCall, grants: readonly Named[], permits: readonly Named[]): string {
  const by = grants.length > 0 ? `grant ${quoted(grants)}` : `policy ${quoted(permits)}`;
  return `allowed: ${by} lets integration "${call.integration.name}" call ${operationOf(call)}`;
}

export function explainForbid(call: ExplainedCall, forbids: readonly Named[]): string {
  const status = statusAt(call.integration, call.time);
  const who = `integration "${call.integration.name}"`;
  if (status !== 'active') return `denied: ${who} is ${status} (policy ${quoted(forbids)})`;
  return `denied: policy ${quoted(forbids)} forbids ${who} to call ${operationOf(call)}`;
}

export function explainError(call: ExplainedCall, failed: readonly Named[]): string {
  return `denied: policy ${quoted(failed)} could not be evaluated for ${operationOf(call)}, so it is taken to forbid it`;
}

/** Says what is missing, and what nearly fits: an expired grant, or one for other resources. */
export function explainNoMatch(
  call: ExplainedCall,
  expired: readonly GrantEntry[],
  elsewhere: readonly GrantEntry[],
): string {
  const base = `denied: no grant of integration "${call.integration.name}" covers operation ${operationOf(call)}`;
  const late = expired.map(
    (grant) => `grant "${grant.name}" did until ${new Date(grant.expiresAt ?? 0).toISOString()}`,
  );
  const other = elsewhere.map((grant) => `grant "${grant.name}" does only where ${scopeText(grant)}`);
  const hints = [...late, ...other];
  return `${base} (policy default-deny)${hints.length > 0 ? `; ${hints.join('; ')}` : ''}`;
}

function scopeText(grant: GrantEntry): string {
  return grant.resourceScope
    .map(({ parameter, values }) => {
      const shown = values.slice(0, VALUES_SHOWN_MAX).join(', ');
      return `${parameter} is ${shown}${values.length > VALUES_SHOWN_MAX ? ', …' : ''}`;
    })
    .join(' and ');
}

function operationOf({ operation, app }: ExplainedCall): string {
  return `${operation.id} of app "${app.name}"`;
}

function quoted(named: readonly Named[]): string {
  return named.map(({ name }) => `"${name}"`).join(', ');
}
