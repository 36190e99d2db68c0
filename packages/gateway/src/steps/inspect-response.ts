import type { Exchange } from '../exchange.ts';
import { blockedRefusal } from './inspect-request.ts';

/** Looks for sensitive data in what the upstream answered, where the body was held. */
export function inspectResponse(exchange: Exchange): void {
  const { runtime, app, caller } = exchange;
  const answer = exchange.answer!; // the forward step refused the call otherwise
  if (!answer.decoded) {
    if (answer.stream) exchange.notes.push('response-uninspected');
    return;
  }
  if (answer.decoded.length === 0) return;
  const resolve = exchange.tables!.inspection({
    appId: app.entry.id,
    integrationId: caller.integration.id,
    direction: 'response',
  }); // the accept step refused the call without tables
  const result = runtime.inspector.inspect(answer.decoded, answer.contentType, 'response', resolve);
  for (const finding of result.findings) exchange.addFinding(finding);
  if (result.blocked.length > 0) throw blockedRefusal('response', result.blocked);
  if (result.bytes === answer.decoded) return;
  answer.decoded = result.bytes;
  answer.changed = true;
}
