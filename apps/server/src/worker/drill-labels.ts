import { claimsTag, createTagCheck, TAG_FIELD } from '@cordon/drills';
import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { drillLabel } from './finding-event.ts';
import type { Observed } from './observed-event.ts';

/** On an event that claims to be of a drill and isn't: somebody tried to pass as one. */
export const FORGED_LABEL = 'forged-drill-tag';
const LABEL_PREFIX = drillLabel('');

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}; // an object has named members

function withLabels(observed: Observed, add: readonly string[]): Observed {
  const { stored } = observed;
  // Only the worker gives this label: one that came along is no proof of anything.
  const before = (stored.metadata.labels ?? []).filter((one) => !one.startsWith(LABEL_PREFIX));
  // The first of them, so that a search can name it: `metadata.labels.0`.
  const labels = [...add, ...before];
  const { labels: _labels, ...metadata } = stored.metadata;
  const kept = { ...stored, metadata: { ...metadata, ...(labels.length > 0 && { labels }) } };
  return { ...observed, stored: kept };
}

/** Gives each event of a drill its label, if its signature holds; takes the label from all others. */
export function createDrillLabels(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
}): (events: readonly Observed[]) => Promise<readonly Observed[]> {
  const check = createTagCheck(deps);

  const labelOne = async (observed: Observed): Promise<Observed> => {
    const { stored, seen } = observed;
    const isCall = seen.product === 'cordon';
    const raw = recordOf(seen.raw);
    const agent = isCall ? recordOf(recordOf(raw)['http_request'])['user_agent'] : undefined;
    const claimed = isCall ? claimsTag(agent) : raw[TAG_FIELD] !== undefined;
    const isLabelled = stored.metadata.labels?.some((one) => one.startsWith(LABEL_PREFIX)) ?? false;
    if (!claimed) return isLabelled ? withLabels(observed, []) : observed;
    const integrationId = recordOf(recordOf(raw)['actor'])['app_uid'];
    const drill = await check(
      isCall
        ? {
            kind: 'call',
            userAgent: String(agent),
            integrationId: typeof integrationId === 'string' ? integrationId : null,
          }
        : { kind: 'record', record: raw },
    );
    return drill === null
      ? withLabels(observed, [FORGED_LABEL])
      : { ...withLabels(observed, [drillLabel(drill)]), drill };
  };

  return async (events) => {
    const isQuiet = events.every(({ stored, seen }) => !couldClaim(seen, stored));
    return isQuiet ? events : Promise.all(events.map(labelOne));
  };
}

/** Cheap, for every event passes here. */
function couldClaim(seen: Observed['seen'], stored: Observed['stored']): boolean {
  if (stored.metadata.labels !== undefined) return true;
  if (seen.product !== 'cordon') return TAG_FIELD in recordOf(seen.raw);
  return claimsTag(recordOf(recordOf(seen.raw)['http_request'])['user_agent']);
}
