import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type DueDelivery, dueDeliveries, notificationBody, settleDelivery } from '@cordon/detection';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';
import type { Clock, Database, Logger } from '@cordon/kernel';

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

/** Sends what is due; each outcome is written down, so that a failure is tried again later and a success never. */
export async function sendNotifications(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string;
}): Promise<void> {
  const { db, clock, logger } = deps;
  const deliver = async (delivery: DueDelivery): Promise<void> => {
    let failure: string | null = null;
    try {
      const body = JSON.stringify(notificationBody(delivery.alert, deps.publicUrl));
      const status = await postJson(new URL(delivery.url), body, delivery.privateAddresses);
      if (status < 200 || status > 299) failure = `The target answered ${status}.`;
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    if (failure !== null) logger.warn({ delivery: delivery.id, failure }, 'a notification could not be delivered');
    await settleDelivery(db, delivery, failure, clock.now());
  };
  await Promise.all((await dueDeliveries(db, clock.now())).map(deliver));
}
