import type { Exchange, UpstreamResponse } from '../exchange.ts';
import { isEventStream } from '../media-type.ts';
import { blockedRefusal } from './inspect-request.ts';
import { inspectionRules } from './inspection-rules.ts';

/** An error's text is no record of the app. */
const HTTP_ERROR = 400;

function hideCredential(exchange: Exchange, answer: UpstreamResponse): void {
  const { credentials } = exchange.runtime;
  if (!exchange.credential) return;
  for (let index = 1; index < answer.headers.length; index += 2) {
    answer.headers[index] = credentials.hideText(exchange, answer.headers[index]!);
  }
  if (!answer.decoded) return;
  const clean = credentials.hide(exchange, answer.decoded);
  if (clean === answer.decoded) return;
  answer.decoded = clean;
  answer.changed = true;
  exchange.notes.push('credential-echoed');
}

/** Looks for sensitive data in what the upstream answered, where the body was held. */
export function inspectResponse(exchange: Exchange): void {
  const { runtime } = exchange;
  const answer = exchange.answer!; // the forward step refused the call otherwise
  hideCredential(exchange, answer);
  if (!answer.decoded) {
    if (answer.stream && !isEventStream(answer.contentType)) exchange.notes.push('response-uninspected');
    return;
  }
  if (answer.decoded.length === 0) return;
  const { resolve, passed } = inspectionRules(exchange, 'response', { dataLabel: true });
  const result = runtime.inspector.inspect(answer.decoded, answer.contentType, 'response', resolve, passed);
  for (const finding of result.findings) exchange.addFinding(finding);
  if (answer.status < HTTP_ERROR) {
    runtime.observations?.see(exchange, 'read', answer.decoded, answer.contentType, result.found);
  }
  if (result.blocked.length > 0) throw blockedRefusal('response', result.blocked);
  if (result.bytes === answer.decoded) return;
  answer.decoded = result.bytes;
  answer.changed = true;
}
