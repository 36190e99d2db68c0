import type { Credential } from '@cordon/policy';
import { renewalOf } from './credential-renewals.ts';
import { Refusal } from './errors.ts';
import type { Exchange, UpstreamResponse } from './exchange.ts';
import type { BudgetCall, VendorRefusal } from './sharing/vendor-budgets.ts';
import { clientGone } from './steps/load-request-body.ts';
import { explainFailure } from './upstream-call.ts';
import { callUpstream, type Repeatable, type SendOnce } from './upstream-tries.ts';

export interface VendorCall {
  readonly send: SendOnce;
  readonly repeatable: Repeatable;
  /** Makes the fields that the upstream gets, with the vendor's credential of now. */
  readonly attach: (exchange: Exchange) => void;
}

function budgetCall(exchange: Exchange): BudgetCall {
  const { app, caller, credential, operation, tables } = exchange;
  const integrationId = caller.integration.id;
  const isOwn =
    credential !== null && credential !== app.entry.credential && tables?.hasOwnCredential(app.entry, integrationId);
  return { app: app.entry, owner: isOwn ? integrationId : '', operation: operation?.id ?? '', integrationId };
}

const WHY: Readonly<Record<VendorRefusal['why'], string>> = {
  exhausted: 'The vendor’s own rate limit is used up',
  share: 'Little is left of the vendor’s own rate limit, and this integration has had its share',
  paused: 'The vendor asked for a pause',
};

function vendorLimited(exchange: Exchange, { retryAt, why }: VendorRefusal): Refusal {
  const seconds = Math.max(1, Math.ceil((retryAt - exchange.runtime.clock.now()) / 1000));
  return new Refusal('gateway.vendor_limited', `${WHY[why]}. Try again in ${seconds} s.`, {
    detail: { why, retry_after_seconds: seconds },
    headers: [['Retry-After', String(seconds)]],
  });
}

/**
 * The vendor refused the token in use: asks for a newer one, and repeats a call that only reads. RFC 9110, section
 * 15.5.2: a refused call was not carried out; others are told so and sent again by whoever made them.
 */
async function renewAndRepeat(
  exchange: Exchange,
  { send, repeatable, attach }: VendorCall,
  answer: UpstreamResponse,
): Promise<UpstreamResponse> {
  const refused = renewalOf(exchange.credential);
  if (answer.status !== 401 || !refused) return answer;
  const { app, caller, runtime } = exchange;
  // The snapshot of now, not the one that the call began with.
  const latest = (): Credential | null => {
    const entry = runtime.tables?.app(app.entry.id)?.entry;
    return entry ? (runtime.tables?.credential(entry, caller.integration.id) ?? null) : null;
  };
  if (!(await runtime.renewals.renew(refused, latest)) || exchange.aborted) return answer;
  answer.stream?.abort();
  exchange.notes.push('credential-renewed');
  if (repeatable !== 'safe' || exchange.requestStream) {
    throw new Refusal(
      'gateway.credential_renewed',
      'The vendor refused its token, so the call was not carried out. The token has been renewed: send the call again.',
      { headers: [['Retry-After', '1']] },
    );
  }
  exchange.credential = latest();
  attach(exchange);
  return send(exchange);
}

/**
 * Sends one call to the app's upstream as every call goes there: within the vendor's own limit, past the circuit
 * breaker, again where that is safe and the budget allows it, with a newer token when the vendor refuses the one in use.
 *
 * @throws {Refusal}
 */
export async function callVendor(exchange: Exchange, call: VendorCall): Promise<UpstreamResponse> {
  if (exchange.aborted) throw clientGone();
  const { runtime, app } = exchange;
  const budget = budgetCall(exchange);
  const refusal = await runtime.budgets.check(budget);
  if (refusal) throw vendorLimited(exchange, refusal);
  const started = performance.now();
  let answer: UpstreamResponse;
  try {
    answer = await renewAndRepeat(exchange, call, await callUpstream(exchange, call.send, call.repeatable));
  } catch (error) {
    if (exchange.aborted) throw clientGone();
    throw explainFailure(error, app.entry.name);
  } finally {
    exchange.upstreamMs = (exchange.upstreamMs ?? 0) + performance.now() - started;
  }
  runtime.budgets.learn(budget, answer.status, answer.headers);
  return answer;
}
