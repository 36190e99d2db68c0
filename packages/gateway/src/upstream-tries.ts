import { GatewayError, Refusal } from './errors.ts';
import type { Exchange, UpstreamResponse } from './exchange.ts';
import { isEventStream } from './media-type.ts';
import type { UpstreamGate } from './resilience/upstream-gate.ts';

/** Sends the call once. The header comes in the answer, or it fails. */
export type SendOnce = (exchange: Exchange) => Promise<UpstreamResponse>;

/**
 * What a second time does (RFC 9110, section 9.2). `safe`: it only reads. `idempotent`: it changes nothing more; such a
 * call is repeated only when nothing was sent.
 */
export type Repeatable = 'safe' | 'idempotent' | 'never';

const BY_METHOD: Readonly<Record<string, Repeatable>> = {
  GET: 'safe',
  HEAD: 'safe',
  OPTIONS: 'safe',
  PUT: 'idempotent',
  DELETE: 'idempotent',
};

export function repeatableByMethod(method: string): Repeatable {
  return BY_METHOD[method] ?? 'never';
}

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

function mayRepeat(exchange: Exchange, repeatable: Repeatable, { answer, error }: Outcome): boolean {
  if (exchange.aborted || exchange.requestStream) return false;
  if (answer) return repeatable === 'safe' && PASSING.has(answer.status) && !tellsWhen(answer);
  const code = codeOf(error);
  if (NOT_CONNECTED.has(code)) return repeatable !== 'never';
  // A connection that the upstream closed while it lay idle breaks under the next call.
  return BROKEN.has(code) && repeatable === 'safe';
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

/** A stream of events goes on as long as there are events; of an MCP server's answers only those that are passed on. */
function isOpenEnded({ app, answer, streaming }: Exchange): boolean {
  if (app.entry.mcp !== null) return streaming;
  return answer?.stream !== undefined && isEventStream(answer.contentType);
}

/**
 * Ends the call when all of it takes too long. Streams of events are exempt: they end when they end. Returns what says
 * whether it has ended it.
 */
function limitTotal(exchange: Exchange): void {
  const { totalMs } = exchange.app.entry.resilience;
  const timer = setTimeout(() => {
    if (isOpenEnded(exchange)) return;
    const late = new Refusal(
      'gateway.upstream_timeout',
      `The whole call to ${exchange.app.entry.name} took longer than ${totalMs} ms.`,
    );
    exchange.cutUpstream?.(late);
  }, totalMs);
  exchange.releases.push(() => clearTimeout(timer));
}

/** Takes the call's place at the upstream's gate. A call that goes to its server several times has one place. */
async function enterGate(exchange: Exchange): Promise<UpstreamGate> {
  if (exchange.gate) return exchange.gate;
  const { app, target, runtime } = exchange;
  const gate = runtime.gates.of(app.entry.id, target.origin);
  await gate.enter(app.entry, runtime.limits.upstreamConnectionsMax);
  exchange.gate = gate;
  exchange.releases.push(() => gate.leave());
  limitTotal(exchange);
  return gate;
}

/** Sends a call, and again where that is safe, within the upstream's budget of repeats. One event, however many tries. */
export async function callUpstream(
  exchange: Exchange,
  send: SendOnce,
  repeatable: Repeatable,
): Promise<UpstreamResponse> {
  const { app, runtime } = exchange;
  const { entry } = app;
  const gate = await enterGate(exchange);
  const { retriesMax, retryPercent } = entry.resilience;
  gate.retries.earn(retryPercent);
  for (let tried = 0; ; tried++) {
    const outcome = await tryOnce(exchange, gate, send);
    const { answer, error } = outcome;
    const isLast = tried >= retriesMax || !mayRepeat(exchange, repeatable, outcome);
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
