import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';

const OBSERVED_SHARE = 0.1;

/** Checks a held answer against the operation's description: refuses it, notes it, or leaves it, as the app says. */
export function checkResponse(exchange: Exchange): void {
  const { app, operation, answer } = exchange;
  const described = operation!.described; // the operation step refused the call otherwise
  const mode = app.entry.validateResponses;
  if (!described || mode === 'off' || !answer?.decoded || exchange.method === 'HEAD') return;
  // Where a violation is only noted, a share of the calls tells as much as all of them.
  if (mode === 'observe' && exchange.runtime.random() >= OBSERVED_SHARE) return;
  const type = answer.contentType === '' ? null : answer.contentType;
  const violations = described.table.checkResponse(described.operation, answer.status, type, answer.decoded);
  const first = violations[0];
  if (!first) return;
  if (mode === 'observe') {
    exchange.notes.push('response-invalid');
    return;
  }
  throw new Refusal(
    'gateway.response_invalid',
    `The upstream’s answer does not fit the description of ${operation!.id}: ${first.message}. This app refuses such answers.`,
    { detail: { operation: operation!.id, pointer: first.pointer, keyword: first.keyword } },
  );
}
