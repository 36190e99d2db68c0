import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Inspected } from '../inspector.ts';
import { checkLeaks } from '../token-leak.ts';
import { inspectionRules } from './inspection-rules.ts';

export function blockedRefusal(direction: 'request' | 'response', blocked: Inspected['blocked']): Refusal {
  const classes = blocked.map((entry) => entry.class);
  const asked = askedFor(direction, blocked);
  if (asked) return asked;
  const message =
    direction === 'request'
      ? `The request holds ${classes.join(', ')}, which may not be sent to this app.`
      : `The upstream’s answer holds ${classes.join(', ')}, which this integration may not receive.`;
  return new Refusal(
    `gateway.${direction}_blocked`,
    `${message} Rule: ${blocked.map(({ rule }) => rule).join(', ')}.`,
    {
      detail: { classes, rules: blocked.map(({ rule }) => rule) },
    },
  );
}

/** Rules that let through once a person answered; what is blocked outright is said first. */
function askedFor(direction: 'request' | 'response', blocked: Inspected['blocked']): Refusal | null {
  if (blocked.some(({ action }) => action === 'block')) return null;
  const classes = [...new Set(blocked.map((entry) => entry.class))];
  const rules = [...new Map(blocked.map(({ rule, ruleId }) => [ruleId, rule]))].map(([id, name]) => ({ id, name }));
  const what = `The ${direction === 'request' ? 'request' : 'upstream’s answer'} holds ${classes.join(', ')}.`;
  const names = rules.map(({ name }) => name).join(', ');
  if (blocked.some(({ action }) => action === 'quarantine')) {
    const message = `${what} It waits for a person who releases it (Data > Incidents). Rule: ${names}.`;
    return new Refusal('gateway.quarantined', message, { detail: { classes, rules } });
  }
  const message = `${what} Say why: repeat the call with Cordon-Justification: <10 to 500 characters>, or give a justification in Cordon, which holds for a time. Rule: ${names}.`;
  return new Refusal('gateway.justification_required', message, {
    detail: {
      classes,
      rules,
      justify: {
        header: 'Cordon-Justification',
        method: 'POST',
        path: '/api/v1/dlp/passes',
        command: 'cordon dlp justify',
      },
    },
  });
}

/** `page=2` and the like: too short for anything that a detector knows. */
const QUERY_CHARS_MIN = 10;

function inspectQuery(exchange: Exchange, { resolve, passed }: ReturnType<typeof inspectionRules>): void {
  const query = exchange.path.indexOf('?');
  if (query === -1 || exchange.path.length - query <= QUERY_CHARS_MIN) return;
  const bytes = Buffer.from(exchange.path.slice(query + 1), 'latin1');
  const result = exchange.runtime.inspector.inspect(
    bytes,
    'application/x-www-form-urlencoded',
    'request',
    resolve,
    passed,
  );
  for (const finding of result.findings) exchange.addFinding(finding);
  if (result.blocked.length > 0) throw blockedRefusal('request', result.blocked);
  if (result.bytes === bytes) return;
  // What is spliced in is percent-encoded by the classifier; anything else would break the request line.
  const cleaned = result.bytes.toString('latin1').replace(/[^\x21-\x7e]/g, '*');
  exchange.path = `${exchange.path.slice(0, query)}?${cleaned}`;
}

/** Looks for sensitive data in what the integration sends: its body and its query. */
export function inspectRequest(exchange: Exchange): void {
  const { runtime } = exchange;
  checkLeaks(exchange);
  const rules = inspectionRules(exchange, 'request', { dataLabel: true });
  inspectQuery(exchange, rules);
  const body = exchange.requestBody;
  if (!body) return;
  const result = runtime.inspector.inspect(body, exchange.requestType, 'request', rules.resolve, rules.passed);
  for (const finding of result.findings) exchange.addFinding(finding);
  if (result.blocked.length > 0) throw blockedRefusal('request', result.blocked);
  runtime.observations?.see(exchange, 'write', body, exchange.requestType, result.found);
  exchange.requestBody = result.bytes;
}
