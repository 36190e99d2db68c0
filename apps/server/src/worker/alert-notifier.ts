import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type DueDelivery, dueDeliveries, formatBody, formatMail, settleDelivery } from '@cordon/detection';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';

const ANSWER_MS_MAX = 10_000;

/** Posts JSON to an address that an administrator gave. Private networks are refused; redirects are not followed. */
export function postJson(url: URL, body: string, privateAddresses: readonly string[]): Promise<number> {
  checkLiteralHost(url.hostname, privateAddresses);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        agent: false,
        lookup: guardedLookup(privateAddresses),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'cordon',
        },
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** Sends a mail; `id` names the delivery, so that a repeat after a crash carries the same Message-ID. */
export type SendAlertMail = (
  message: { readonly to: string; readonly subject: string; readonly text: string },
  id: string,
) => Promise<void>;

interface Ways {
  readonly publicUrl: string;
  /** Absent: no SMTP server is configured. */
  readonly sendMail?: SendAlertMail | undefined;
}

/** Null when it was taken; else what was wrong. */
async function tell(delivery: DueDelivery, { publicUrl, sendMail }: Ways): Promise<string | null> {
  const { kind, alert, event, template, routingKey } = delivery;
  const input = { alert, event, template, routingKey, publicUrl };
  if (kind === 'mail') {
    if (!sendMail) return 'No SMTP server is configured (mail.smtp_url).';
    const { subject, text } = formatMail(input);
    for (const [at, to] of delivery.to.entries()) await sendMail({ to, subject, text }, `${delivery.id}-${at}`);
    return null;
  }
  const body = JSON.stringify(formatBody(kind, input));
  const status = await postJson(new URL(delivery.url), body, delivery.privateAddresses);
  return status < 200 || status > 299 ? `The target answered ${status}.` : null;
}

/** Sends what is due; each outcome is written down, so that a failure is tried again later and a success never. */
export async function sendNotifications(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly sendMail?: SendAlertMail | undefined;
}): Promise<void> {
  const { db, clock, logger, envelope } = deps;
  const deliver = async (delivery: DueDelivery): Promise<void> => {
    let failure: string | null = null;
    if (delivery.alert.drill !== null) {
      await settleDelivery(db, delivery, 'Held back: the alert is of an exercise.', clock.now(), 'final');
      return;
    }
    try {
      failure = await tell(delivery, deps);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    if (failure !== null) logger.warn({ delivery: delivery.id, failure }, 'a notification could not be delivered');
    await settleDelivery(db, delivery, failure, clock.now());
  };
  await Promise.all((await dueDeliveries(db, envelope, clock.now())).map(deliver));
}
