import type { Direction, InspectionResolver } from '@cordon/policy';
import type { Exchange } from '../exchange.ts';
import type { Passed } from '../inspector.ts';

const JUSTIFICATION_HEADER = 'cordon-justification';
const JUSTIFICATION_CHARS_MIN = 10;
const JUSTIFICATION_CHARS_MAX = 500;

/** What the client itself says in `Cordon-Justification`: kept in the event of the call, and good for this call alone. */
function saidWithCall(exchange: Exchange): string | null {
  const said = exchange.request.headers[JUSTIFICATION_HEADER];
  if (typeof said !== 'string') return null;
  const text = said.trim();
  return text.length < JUSTIFICATION_CHARS_MIN ? null : text.slice(0, JUSTIFICATION_CHARS_MAX);
}

/** The rules for one direction of a call, and what lets it past those that ask for a person. */
export function inspectionRules(
  exchange: Exchange,
  direction: Direction,
  options: { readonly dataLabel?: boolean } = {},
): { readonly resolve: InspectionResolver; readonly passed: Passed } {
  const { app, caller, runtime } = exchange;
  const tables = exchange.tables!; // the accept step refused the call without tables
  const appId = app.entry.id;
  const { id: integrationId, ownerId } = caller.integration;
  const dataLabel = options.dataLabel === true ? exchange.dataLabel : undefined;
  const resolve = tables.inspection({ appId, integrationId, direction, dataLabel, personId: ownerId });
  const passed: Passed = (action, ruleId) => {
    if (tables.hasPass(ruleId, integrationId, appId, runtime.clock.now())) return true;
    if (action !== 'justify') return false;
    exchange.justification ??= saidWithCall(exchange);
    return exchange.justification !== null;
  };
  return { resolve, passed };
}
