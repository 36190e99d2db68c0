import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { isJson } from '../media-type.ts';
import { addInjectionFindings, injectionDetector, isExcepted } from './check-injection.ts';

const FORMATS = /[/+]xml$/;

/**
 * Looks for attacks in what a tool answers, where the app says so: text that others planted there and that the
 * integration would hand on to a page, a query or a shell of its own.
 */
export function checkAnswer(exchange: Exchange): void {
  const { app, answer, operation } = exchange;
  const { injectionAnswers: mode, injectionExceptions } = app.entry;
  if (mode === 'off' || !answer?.decoded || answer.decoded.length === 0) return;
  const type = answer.contentType.split(';', 1)[0]!.trim().toLowerCase();
  // Pages and plain text are prose to a detector of values.
  const found = isJson(type)
    ? injectionDetector.inspectJson(answer.decoded)
    : FORMATS.test(type)
      ? injectionDetector.inspectXml(answer.decoded.toString('utf8'))
      : [];
  const counted = found.filter(
    (finding) => !isExcepted(finding, injectionExceptions, operation!.id, exchange.startedAt), // the operation step refused the call otherwise
  );
  const [first] = counted;
  if (!first) return;
  addInjectionFindings(exchange, counted, 'response', mode === 'refuse' ? 'block' : 'log');
  if (mode !== 'refuse') return;
  throw new Refusal(
    'gateway.response_blocked',
    `The app’s answer holds what reads like an attack at ${first.in}${first.pointer} (${first.kind}, ${first.rule}). This app’s answers are refused then; if the field may hold it, an operator can add an exception for it.`,
    { detail: { classes: [...new Set(counted.map(({ kind }) => `injection.${kind}`))] } },
  );
}
