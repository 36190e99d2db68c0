import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** Signs a delivery as Standard Webhooks says, once with each live secret. */
export function signDelivery(
  secrets: readonly string[],
  delivery: { readonly id: string; readonly timestampS: number; readonly body: Buffer },
): string {
  const { id, timestampS, body } = delivery;
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.`).update(body).digest('base64')}`;
    })
    .join(' ');
}
