import { type Logger, type Transaction, uuidv7 } from '@cordon/kernel';
import { backOffMs } from './back-off.ts';
import { readContent } from './content.ts';
import type { WebhookContext } from './context.ts';
import { claimDeliveries, type DueDelivery, postpone, settleAttempt } from './delivery-store.ts';
import { readSecrets } from './endpoint-store.ts';
import { signDelivery } from './standard-signature.ts';

const AT_ONCE_MAX = 32;
/** A suspended integration's deliveries are looked at again this often. */
const HELD_MS = 5_000;
const GONE = 410;

export interface SendAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of the body. */
  readonly body: Buffer;
}

export interface SendRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly privateAddresses: readonly string[];
  readonly timeoutMs: number;
}

/** What became of one attempt, for the lake. */
export interface AttemptFacts {
  readonly id: string;
  readonly at: number;
  readonly delivery: DueDelivery;
  readonly integrationName: string;
  readonly number: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly outcome: 'delivered' | 'waiting' | 'dead';
  readonly bytes: number;
}

export interface DelivererDeps extends Pick<WebhookContext, 'db' | 'clock' | 'envelope' | 'estate'> {
  readonly logger: Logger;
  /** Sends one request; rejects when there is no answer. Redirects are answers. */
  readonly send: (request: SendRequest) => Promise<SendAnswer>;
  /** Puts the attempt's event on its way to the lake, in the transaction that writes the attempt down. */
  readonly record: (tx: Transaction, facts: AttemptFacts) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
}

export interface Deliverer {
  /** Starts what is due and there is room for; resolves when it is started. */
  run(): Promise<void>;
  /** Waits for attempts that run. */
  stop(): Promise<void>;
}

/** Hands deliveries to their integrations: signed, retried, one after another where they have an order. */
export function createDeliverer(deps: DelivererDeps): Deliverer {
  const running = new Set<Promise<void>>();
  let filling: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const start = (delivery: DueDelivery): void => {
    const work = attemptDelivery(deps, delivery)
      .catch((error: unknown) => {
        // Its lease ends by itself; then it is tried again.
        deps.logger.warn({ err: error, delivery: delivery.id }, 'a delivery could not be carried out');
      })
      .finally(() => {
        running.delete(work);
        // Its place is free: what waits need not wait for the next look.
        if (!stopped) fill().catch(() => undefined); // the next look finds out, and says so
      });
    running.add(work);
  };
  const claim = async (): Promise<void> => {
    do {
      again = false;
      const room = AT_ONCE_MAX - running.size;
      if (stopped || room <= 0) return;
      for (const delivery of await claimDeliveries(deps.db, deps.clock.now(), room)) start(delivery);
    } while (again);
  };
  const fill = (): Promise<void> => {
    again = true;
    filling ??= claim().finally(() => {
      filling = null;
    });
    return filling;
  };

  return {
    run: fill,
    async stop() {
      stopped = true;
      await filling?.catch(() => undefined);
      await Promise.all(running);
    },
  };
}

async function signingSecrets(deps: DelivererDeps, endpointId: string, now: number): Promise<string[]> {
  const secrets = await readSecrets(deps.db, endpointId);
  return secrets
    .filter(({ purpose, notAfter }) => purpose === 'signing' && (notAfter === null || notAfter > now))
    .map(({ sealed }) => deps.envelope.open(sealed, `webhook-signing:${endpointId}`).toString('utf8'));
}

async function buildRequest(deps: DelivererDeps, delivery: DueDelivery, now: number): Promise<SendRequest> {
  const { settings } = delivery;
  const content = readContent(deps.envelope.open(delivery.sealed, `webhook-delivery:${delivery.id}`));
  const timestampS = Math.floor(now / 1_000);
  const secrets = await signingSecrets(deps, delivery.endpointId, now);
  return {
    url: settings.url,
    body: content.body,
    privateAddresses: settings.privateAddresses,
    timeoutMs: settings.timeoutMs,
    headers: {
      ...Object.fromEntries(content.headers),
      'content-type': delivery.contentType || 'application/octet-stream',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(timestampS),
      'webhook-signature': signDelivery(secrets, { id: delivery.id, timestampS, body: content.body }),
      'cordon-event-type': delivery.type.replace(/[^\x20-\x7e]/g, '?'),
      'cordon-attempt': String(delivery.attempts + 1),
      ...(content.path === '' ? {} : { 'cordon-path': content.path }),
    },
  };
}

/** What the integration asks for in seconds or as a date (RFC 9110, section 10.2.3), milliseconds. */
function askedMs(answer: SendAnswer | null, now: number): number {
  const value = answer?.headers['retry-after'];
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}

function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, 500);
}

async function attemptDelivery(deps: DelivererDeps, delivery: DueDelivery): Promise<void> {
  const { db, clock, envelope } = deps;
  const at = clock.now();
  const integration = await deps.estate.integration(delivery.integrationId);
  if (integration?.status !== 'active') {
    await postpone(db, delivery.id, at + HELD_MS);
    return;
  }
  const id = uuidv7(at);
  const request = await buildRequest(deps, delivery, at);
  let answer: SendAnswer | null = null;
  let error: string | null = null;
  try {
    answer = await deps.send(request);
  } catch (failure) {
    error = errorText(failure);
  }
  const now = clock.now();
  const succeeded = answer !== null && answer.status >= 200 && answer.status < 300;
  if (answer !== null && !succeeded) error = `The integration answered ${answer.status}.`;
  const isLast = delivery.round + 1 >= delivery.settings.attemptsMax || answer?.status === GONE;
  const outcome = succeeded ? 'delivered' : isLast ? 'dead' : 'waiting';
  const nextAt = now + backOffMs(delivery.round + 1, deps.random(), askedMs(answer, now));
  const attempt = {
    id,
    at,
    durationMs: Math.max(0, now - at),
    status: answer?.status ?? null,
    error,
    headers: answer?.headers ?? {},
    sealed: answer && answer.body.length > 0 ? envelope.seal(answer.body, `webhook-attempt:${id}`) : null,
  };
  await db.transaction(async (tx) => {
    if (!(await settleAttempt(tx, delivery, attempt, { status: outcome, nextAt }))) return;
    await deps.record(tx, {
      id,
      at,
      delivery,
      integrationName: integration.name,
      number: delivery.attempts + 1,
      durationMs: attempt.durationMs,
      status: attempt.status,
      error,
      outcome,
      bytes: request.body.length,
    });
  });
}
