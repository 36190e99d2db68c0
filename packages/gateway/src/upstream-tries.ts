import { GatewayError, Refusal } from './errors.ts';
import type { Exchange, UpstreamResponse } from './exchange.ts';
import { isEventStream } from './media-type.ts';
import type { UpstreamGate } from './resilience/upstream-gate.ts';

/** Sends the call once. The header comes in the answer, or it fails. */
export type SendOnce = (exchange: Exchange) => Promise<UpstreamResponse>;

/** RFC 9110, section 9.2.1: calls that only read. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** RFC 9110, section 9.2.2: a second time changes nothing more. They are repeated only when nothing was sent. */
const IDEMPOTENT = new Set([...SAFE, 'PUT', 'DELETE']);
const BROKEN = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'EAI_AGAIN']);
/** An upstream that says so hasn't done what was asked, or can be asked to read again. */
const PASSING = new Set([502, 503, 504]);
const PAUSE_MS = 50;

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the upstream itself is what failed, as opposed to the client, the gateway's rules or the answer's content. */
function isUpstreamFault(error: unknown): boolean {
  if (error instanceof Refusal) return error.code === 'gateway.upstream_timeout';
  return !(error instanceof GatewayError);
}

function mayRepeat(exchange: Exchange, answer: UpstreamResponse | undefined, error: unknown): boolean {
  const { method } = exchange;
  if (exchange.aborted || exchange.requestStream) return false;
  if (answer) return SAFE.has(method) && PASSING.has(answer.status) && !tellsWhen(answer);
  const code = codeOf(error);
  if (NOT_CONNECTED.has(code)) return IDEMPOTENT.has(method);
  // A connection that the upstream closed while it lay idle breaks under the next call.
  return BROKEN.has(code) && SAFE.has(method);
}

/** An upstream that says when to come back isn't asked again before. */
function tellsWhen({ headers }: UpstreamResponse): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() === 'retry-after') return true;
  }
  return false;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

interface Outcome {
  readonly answer?: UpstreamResponse;
  readonly error?: unknown;
}

/** One try, counted by the breaker. */
async function tryOnce(exchange: Exchange, gate: UpstreamGate, send: SendOnce): Promise<Outcome> {
  const { entry } = exchange.app;
  const { clock, gates } = exchange.runtime;
  const { breaker } = entry.resilience;
  gate.admit(entry, clock.now());
  let outcome: Outcome;
  try {
    outcome = { answer: await send(exchange) };
  } catch (error) {
    outcome = { error };
  }
  const failed = outcome.answer
    ? outcome.answer.status >= 500 && outcome.answer.status !== 501
    : isUpstreamFault(outcome.error);
  if (exchange.aborted) gate.breaker.forget();
  else if (!failed) {
    if (outcome.answer) gate.breaker.succeed(breaker, clock.now());
    else gate.breaker.forget();
  } else if (gate.breaker.fail(breaker, clock.now())) {
    gates.noteOpened();
    exchange.runtime.logger.warn({ app: entry.name, origin: gate.origin }, 'an upstream fails; it is left alone');
  }
  return outcome;
}

/**
 * Ends the call when all of it takes too long. Streams of events are exempt: they end when they end. Returns what says
 * whether it has ended it.
 */
function limitTotal(exchange: Exchange): void {
  const { totalMs } = exchange.app.entry.resilience;
  const timer = setTimeout(() => {
    const { answer } = exchange;
    if (answer?.stream && isEventStream(answer.contentType)) return;
    const late = new Refusal(
      'gateway.upstream_timeout',
      `The whole call to ${exchange.app.entry.name} took longer than ${totalMs} ms.`,
    );
    exchange.cutUpstream?.(late);
  }, totalMs);
  exchange.releases.push(() => clearTimeout(timer));
}

/** Sends a call, and again where that is safe, within the upstream's budget of repeats. One event, however many tries. */
export async function callUpstream(exchange: Exchange, send: SendOnce): Promise<UpstreamResponse> {
  const { app, target, runtime } = exchange;
  const { entry } = app;
  const gate = runtime.gates.of(entry.id, target.origin);
  await gate.enter(entry, runtime.limits.upstreamConnectionsMax);
  exchange.releases.push(() => gate.leave());
  limitTotal(exchange);
  const { retriesMax, retryPercent } = entry.resilience;
  gate.retries.earn(retryPercent);
  for (let tried = 0; ; tried++) {
    const { answer, error } = await tryOnce(exchange, gate, send);
    const isLast = tried >= retriesMax || !mayRepeat(exchange, answer, error);
    if (isLast || !gate.retries.take(runtime.clock.now())) {
      if (answer) return answer;
      throw error;
    }
    answer?.stream?.abort();
    if (tried === 0) exchange.notes.push('retried');
    runtime.metrics.count('cordon_gateway_retries_total');
    // The first repeat of a broken connection needs no pause; one of a weak upstream does.
    if (answer || tried > 0) await pause(PAUSE_MS * 2 ** tried * (0.5 + runtime.random()));
  }
}
