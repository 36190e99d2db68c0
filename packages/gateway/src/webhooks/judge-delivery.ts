import { JSON_LIMITS, checkJson } from '@cordon/openapi';
import { clientCertificate } from '../client-certificate.ts';
import { Refusal } from '../errors.ts';
import { isJson, isText } from '../media-type.ts';
import { blockedRefusal } from '../steps/inspect-request.ts';
import { answerHandshake, findHandshake } from './handshake.ts';
import type { Hook } from './hook.ts';

const TYPE_CHARS_MAX = 200;
const NO_FIELDS: ReadonlyMap<string, string> = new Map();

const REFUSED = {
  missing: ['gateway.webhook_signature_missing', 'The delivery carries no signature of this endpoint’s scheme.'],
  invalid: ['gateway.webhook_signature_invalid', 'The signature does not fit the delivery and the endpoint’s secret.'],
  late: [
    'gateway.webhook_timestamp',
    'The signed time is too far from now: an old delivery, or a clock that is wrong.',
  ],
} as const;

const UNPROVEN = {
  ...REFUSED,
  missing: [
    'gateway.webhook_signature_missing',
    'The vendor of this endpoint proves itself by a TLS client certificate.',
  ],
  invalid: ['gateway.webhook_signature_invalid', 'The client certificate is none that this endpoint trusts.'],
} as const;

/** Verifies who sent it. A handshake that vendors don't sign is answered instead. */
export function checkSignature(hook: Hook): void {
  const { plan } = hook.endpoint;
  const { clock } = hook.runtime.gateway;
  const handshake = findHandshake(plan.entry.scheme, hook.delivery);
  if (handshake && !handshake.signed) {
    const answer = answerHandshake(handshake, hook.delivery, plan.secrets[0]!.bytes); // an endpoint has at least one
    if (answer) {
      hook.answer = { status: 200, ...answer };
      hook.notes.push('webhook-handshake');
      return;
    }
  }
  if (hook.method !== 'POST') {
    throw new Refusal('gateway.method_refused', 'Deliveries are sent with POST.', { headers: [['Allow', 'POST']] });
  }
  const verdict = plan.certificates
    ? plan.certificates.check(
        clientCertificate(hook.request, hook.runtime.gateway.trustedProxies),
        hook.delivery,
        plan.secrets,
        clock.now(),
      )
    : plan.signatures.check(hook.delivery, plan.secrets, clock.now());
  if (verdict.verdict !== 'verified') {
    const [code, message] = (plan.certificates ? UNPROVEN : REFUSED)[verdict.verdict];
    throw new Refusal(code, message);
  }
  hook.verified = verdict;
  if (!handshake) return;
  const answer = answerHandshake(handshake, hook.delivery, verdict.secret);
  if (!answer) throw new Refusal('gateway.request_malformed', 'The handshake lacks the value to give back.');
  hook.answer = { status: 200, ...answer };
  hook.notes.push('webhook-handshake');
}

/** Takes no more verified deliveries than the endpoint allows: what can't prove itself uses nothing up. */
export async function checkRate(hook: Hook): Promise<void> {
  const { id, name, rate } = hook.endpoint.plan.entry;
  if (hook.answer || !rate) return;
  const check = { concurrency: null, callsPerDay: null, bytesPerDay: null };
  const { counters } = hook.runtime.gateway;
  const burst = { ...rate, burst: rate.count };
  const place = await counters.admit([{ ...check, key: `webhook:${id}`, rate: burst }]);
  place.leave();
  const { admission } = place;
  if (!admission.refused) return;
  const seconds = Math.max(1, Math.ceil((admission.verdicts[0]?.retryAfterMs ?? 0) / 1000));
  throw new Refusal(
    'gateway.rate_limited',
    `The endpoint ${name} takes ${rate.count} deliveries per ${rate.periodMs / 1000} s.`,
    {
      detail: { limit: name, retry_after_seconds: seconds },
      headers: [['Retry-After', String(seconds)]],
    },
  );
}

/** Reads what the delivery is; one that nobody wants is acknowledged, so that its vendor doesn't send it for ever. */
export function loadEventType(hook: Hook): void {
  if (hook.answer) return;
  const { scheme } = hook.endpoint.plan.entry;
  const fields = hook.verified?.fields ?? NO_FIELDS;
  hook.type = (hook.delivery.first(scheme.type, fields) ?? '').slice(0, TYPE_CHARS_MAX);
  hook.vendorId = (scheme.id ? (hook.delivery.first(scheme.id.places, fields) ?? '') : '').slice(0, TYPE_CHARS_MAX);
  if (hook.endpoint.plan.wants(hook.type)) return;
  hook.unwanted = true;
  hook.answer = { status: 200, contentType: 'application/json', body: '{"status":"ignored"}' };
}

/** Checks the body's form and, where the endpoint has one, its schema. */
export function checkDelivery(hook: Hook): void {
  if (hook.answer) return;
  const { entry, schema } = hook.endpoint.plan;
  const { delivery } = hook.delivery;
  const fault = isJson(delivery.type) && delivery.body.length > 0 ? checkJson(delivery.body, JSON_LIMITS) : null;
  if (fault) throw new Refusal('gateway.webhook_invalid', `The body is not acceptable JSON: ${fault.message}.`);
  const violations = schema?.check(delivery.type, delivery.body) ?? [];
  const first = violations[0];
  if (!first) return;
  if (entry.validate === 'observe') {
    hook.notes.push('request-invalid');
    return;
  }
  const place = first.pointer === '' ? first.in : `${first.in}${first.pointer}`;
  throw new Refusal(
    'gateway.webhook_invalid',
    `The body does not fit the endpoint’s schema: ${first.message} (${place}).`,
    {
      detail: { errors: violations.map(({ pointer, keyword, message }) => ({ pointer, keyword, message })) },
    },
  );
}

/** Looks for sensitive data in what the vendor sends, under the rules for requests that go to this integration. */
export function inspectDelivery(hook: Hook): void {
  if (hook.answer) return;
  const { plan, app, integration } = hook.endpoint;
  const { entry } = plan;
  const { type, body } = hook.delivery.delivery;
  if (entry.inspect === 'off' || !isText(type)) return;
  // Data flows from the tool to the integration, as in an answer to one of its calls.
  const rules = hook.tables!.inspection({
    appId: app.id,
    integrationId: integration.id,
    direction: 'response',
    personId: integration.ownerId,
  }); // accept checked
  const resolve: typeof rules =
    entry.inspect === 'log'
      ? (name, label, facts) => {
          const { action, rule } = rules(name, label, facts);
          return { action: action === 'allow' ? 'allow' : 'log', rule };
        }
      : rules;
  const { inspector, clock } = hook.runtime.gateway;
  const tables = hook.tables!; // as above
  const result = inspector.inspect(body, type, 'response', resolve, (_action, ruleId) =>
    tables.hasPass(ruleId, integration.id, app.id, clock.now()),
  );
  hook.findings.push(...result.findings);
  for (const finding of result.findings)
    if (finding.action === 'redact' || finding.action === 'tokenise') hook.redactions += finding.count;
  if (result.blocked.length > 0) throw blockedRefusal('response', result.blocked);
  hook.body = result.bytes;
}
