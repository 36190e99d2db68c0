import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type WebhookScheme, webhookScheme } from '@cordon/policy';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Delivery, DeliveryParts } from './delivery-parts.ts';
import { decodeSecret, SignatureCheck, type Verdict } from './signature-check.ts';

/** Schemes and samples of `content/webhooks`, for tests of this folder. */

const FOLDER = fileURLToPath(new URL('../../../../content/webhooks/', import.meta.url));

const sample = z.strictObject({
  about: z.string(),
  expect: z.enum(['verified', 'missing', 'invalid', 'late']),
  secret: z.string(),
  /** ISO time at which it arrives. */
  at: z.string(),
  url: z.string().default('https://gateway.example.com/hooks/1'),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});
type Sample = z.output<typeof sample>;
const file = z.strictObject({ docs: z.url(), samples: z.array(sample), ...webhookScheme.shape });

export interface SchemeFile {
  readonly scheme: WebhookScheme;
  readonly samples: readonly Sample[];
}

export function readSchemes(): SchemeFile[] {
  return fs
    .readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => {
      const { docs: _docs, samples, ...scheme } = file.parse(parse(fs.readFileSync(FOLDER + name, 'utf8')));
      return { scheme, samples };
    });
}

export function readScheme(name: string): WebhookScheme {
  const found = readSchemes().find(({ scheme }) => scheme.name === name);
  if (!found) throw new Error(`there is no scheme ${name}`);
  return found.scheme;
}

export interface TestDelivery {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly method?: string;
}

function deliveryOf({ body, headers, url, method = 'POST' }: TestDelivery): DeliveryParts {
  const address = url ?? 'https://gateway.example.com/hooks/1';
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const made: Delivery = {
    method,
    urls: [address],
    query: new URL(address).searchParams,
    type: (lower.get('content-type') ?? 'application/json').split(';')[0]!,
    body: Buffer.from(body),
    header: (name) => lower.get(name),
  };
  return new DeliveryParts(made);
}

/** The verdict on one delivery, by a vendor's scheme and one secret. */
export function judge(scheme: WebhookScheme, secret: string, delivery: TestDelivery, now: number): Verdict['verdict'] {
  const bytes = decodeSecret(scheme, secret);
  if (!bytes) throw new Error('the secret does not fit the scheme');
  const check = new SignatureCheck(scheme);
  return check.check(deliveryOf(delivery), [{ id: 's', bytes, notAfter: null }], now).verdict;
}
