import type { InspectionResolver } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Inspected } from '../inspector.ts';
import { checkLeaks } from '../token-leak.ts';

export function blockedRefusal(direction: 'request' | 'response', blocked: Inspected['blocked']): Refusal {
  const classes = blocked.map((entry) => entry.class);
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

/** `page=2` and the like: too short for anything that a detector knows. */
const QUERY_CHARS_MIN = 10;

function inspectQuery(exchange: Exchange, resolve: InspectionResolver): void {
  const query = exchange.path.indexOf('?');
  if (query === -1 || exchange.path.length - query <= QUERY_CHARS_MIN) return;
  const bytes = Buffer.from(exchange.path.slice(query + 1), 'latin1');
  const result = exchange.runtime.inspector.inspect(bytes, 'application/x-www-form-urlencoded', 'request', resolve);
  for (const finding of result.findings) exchange.addFinding(finding);
  if (result.blocked.length > 0) throw blockedRefusal('request', result.blocked);
  if (result.bytes === bytes) return;
  // What is spliced in is percent-encoded by the classifier; anything else would break the request line.
  const cleaned = result.bytes.toString('latin1').replace(/[^\x21-\x7e]/g, '*');
  exchange.path = `${exchange.path.slice(0, query)}?${cleaned}`;
}

/** Looks for sensitive data in what the integration sends: its body and its query. */
export function inspectRequest(exchange: Exchange): void {
  const { runtime, app, caller } = exchange;
  checkLeaks(exchange);
  const resolve = exchange.tables!.inspection({
    appId: app.entry.id,
    integrationId: caller.integration.id,
    direction: 'request',
    dataLabel: exchange.dataLabel,
  }); // the accept step refused the call without tables
  inspectQuery(exchange, resolve);
  const body = exchange.requestBody;
  if (!body) return;
  const result = runtime.inspector.inspect(body, exchange.requestType, 'request', resolve);
  for (const finding of result.findings) exchange.addFinding(finding);
  if (result.blocked.length > 0) throw blockedRefusal('request', result.blocked);
  runtime.observations?.see(exchange, 'write', body, exchange.requestType, result.found);
  exchange.requestBody = result.bytes;
}
