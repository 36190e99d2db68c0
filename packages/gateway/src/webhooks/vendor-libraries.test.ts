import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { Signature } from '@hubspot/api-client';
import { LinearWebhookClient } from '@linear/sdk/webhooks';
import { sign as signGithub } from '@octokit/webhooks-methods';
import { shopifyApi } from '@shopify/shopify-api';
import '@shopify/shopify-api/adapters/node';
import { isValidSlackRequest } from '@slack/bolt';
import { verifyKey } from 'discord-interactions';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { judge, readScheme, type TestDelivery } from './test-scheme.ts';

/** Deliveries signed, or at least checked, by the vendors' own libraries; then changed, moved in time and unsigned. */

const NOW = Date.now();
const SECONDS = Math.floor(NOW / 1_000);
const URL_OF = 'https://gateway.example.com/hooks/1?a=b%2Fc';
const BODY = JSON.stringify({ type: 'issue.created', webhookTimestamp: NOW, title: 'grüße ✓', id: 'evt_1' });
const SECRET = 'a-secret-of-the-vendor';
const STANDARD = `whsec_${Buffer.from('standard-webhooks-key-0123456789').toString('base64')}`;

interface Case {
  readonly scheme: string;
  readonly secret: string;
  /** Made by the vendor's library, or by us and then accepted by it. */
  readonly make: (body: string) => TestDelivery | Promise<TestDelivery>;
  readonly body?: string;
  /** Time beyond the tolerance, when the scheme has one. */
  readonly lateMs?: number;
}

const hmac = (algorithm: string, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac(algorithm, SECRET).update(text).digest(encoding);

const discord = generateKeyPairSync('ed25519');
const discordKey = discord.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
const FORM = 'MessageSid=SM1&Body=hi+there&From=%2B15551234&Tag=b&Tag=a&MessageStatus=sent';
const formOf = (body: string): Record<string, string | string[]> => {
  const form = new URLSearchParams(body);
  return Object.fromEntries(
    [...new Set(form.keys())].map((key) => [key, form.getAll(key).length > 1 ? form.getAll(key) : form.get(key)!]),
  ); // present: it is a key
};

const cases: readonly Case[] = [
  {
    scheme: 'github',
    secret: SECRET,
    make: async (body) => ({ body, headers: { 'X-Hub-Signature-256': await signGithub(SECRET, body) } }),
  },
  {
    scheme: 'stripe',
    secret: 'whsec_test',
    lateMs: 301_000,
    make: (body) => ({
      body,
      headers: {
        'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({
          payload: body,
          secret: 'whsec_test',
          timestamp: SECONDS,
        }),
      },
    }),
  },
  {
    scheme: 'slack',
    secret: SECRET,
    lateMs: 301_000,
    make: (body) => {
      const headers = {
        'x-slack-signature': `v0=${hmac('sha256', `v0:${SECONDS}:${body}`, 'hex')}`,
        'x-slack-request-timestamp': String(SECONDS),
      };
      const lower = { 'x-slack-signature': headers['x-slack-signature'], 'x-slack-request-timestamp': SECONDS };
      expect(isValidSlackRequest({ signingSecret: SECRET, body, headers: lower })).toBe(true);
      return { body, headers };
    },
  },
  {
    scheme: 'twilio',
    secret: SECRET,
    body: FORM,
    make: (body) => ({
      body,
      url: URL_OF,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'X-Twilio-Signature': twilio.getExpectedTwilioSignature(SECRET, URL_OF, formOf(body)),
      },
    }),
  },
  {
    scheme: 'twilio',
    secret: SECRET,
    make: (body) => {
      const url = `${URL_OF}&bodySHA256=${twilio.getExpectedBodyHash(body)}`;
      return { body, url, headers: { 'X-Twilio-Signature': twilio.getExpectedTwilioSignature(SECRET, url, {}) } };
    },
  },
  {
    scheme: 'linear',
    secret: SECRET,
    lateMs: 61_000,
    make: (body) => {
      const signature = hmac('sha256', body, 'hex');
      expect(new LinearWebhookClient(SECRET).verify(Buffer.from(body), signature, NOW)).toBe(true);
      return { body, headers: { 'Linear-Signature': signature } };
    },
  },
  {
    scheme: 'shopify',
    secret: SECRET,
    make: async (body) => {
      const headers = {
        'X-Shopify-Hmac-Sha256': hmac('sha256', body, 'base64'),
        'X-Shopify-Topic': 'orders/create',
        'X-Shopify-Webhook-Id': 'w-1',
        'X-Shopify-Shop-Domain': 'a.myshopify.com',
        'X-Shopify-API-Version': '2026-07',
      };
      const shopify = shopifyApi({
        apiKey: 'k',
        apiSecretKey: SECRET,
        hostName: 'app.example.com',
        apiVersion: '2026-07' as never, // any version: only the signature is looked at
        isEmbeddedApp: false,
      });
      const rawRequest = { method: 'POST', url: '/hooks/1', headers };
      expect(await shopify.webhooks.validate({ rawBody: body, rawRequest })).toMatchObject({ valid: true });
      return { body, headers };
    },
  },
  {
    scheme: 'zendesk',
    secret: SECRET,
    lateMs: 301_000,
    // Zendesk has no library: as its documentation computes it.
    make: (body) => {
      const at = new Date(SECONDS * 1_000).toISOString();
      return {
        body,
        headers: {
          'X-Zendesk-Webhook-Signature': hmac('sha256', at + body, 'base64'),
          'X-Zendesk-Webhook-Signature-Timestamp': at,
        },
      };
    },
  },
  {
    scheme: 'hubspot-v2',
    secret: SECRET,
    make: (body) => hubspot('v1', body, { 'X-HubSpot-Signature-Version': 'v1' }),
  },
  {
    scheme: 'hubspot-v2',
    secret: SECRET,
    make: (body) => hubspot('v2', body, { 'X-HubSpot-Signature-Version': 'v2' }),
  },
  {
    scheme: 'hubspot',
    secret: SECRET,
    lateMs: 301_000,
    make: (body) => hubspot('v3', body, { 'X-HubSpot-Request-Timestamp': String(NOW) }),
  },
  {
    scheme: 'standard-webhooks',
    secret: STANDARD,
    lateMs: 301_000,
    make: (body) => ({
      body,
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(SECONDS),
        'webhook-signature': `v1,AAAA ${new StandardWebhook(STANDARD).sign('msg_1', new Date(SECONDS * 1_000), body)}`,
      },
    }),
  },
  {
    scheme: 'svix',
    secret: STANDARD,
    lateMs: 301_000,
    make: (body) => ({
      body,
      headers: {
        'svix-id': 'msg_1',
        'svix-timestamp': String(SECONDS),
        'svix-signature': new SvixWebhook(STANDARD).sign('msg_1', new Date(SECONDS * 1_000), body),
      },
    }),
  },
  {
    scheme: 'discord',
    secret: discordKey,
    lateMs: 301_000,
    make: async (body) => {
      const signature = signWith(null, Buffer.from(`${SECONDS}${body}`), discord.privateKey).toString('hex');
      expect(await verifyKey(body, signature, String(SECONDS), discordKey)).toBe(true);
      return { body, headers: { 'X-Signature-Ed25519': signature, 'X-Signature-Timestamp': String(SECONDS) } };
    },
  },
];

function hubspot(version: 'v1' | 'v2' | 'v3', body: string, more: Record<string, string>): TestDelivery {
  // The library signs addresses as they are; HubSpot's documentation decodes some characters for v3.
  const url = 'https://gateway.example.com/hooks/1';
  const options = { clientSecret: SECRET, requestBody: body, url, timestamp: NOW, signature: '' };
  const name = version === 'v3' ? 'X-HubSpot-Signature-v3' : 'X-HubSpot-Signature';
  return { body, url, headers: { [name]: Signature.getSignature('POST', version, options), ...more } };
}

describe.each(cases)('$scheme', ({ scheme: name, secret, make, body = BODY, lateMs }) => {
  const scheme = readScheme(name);

  test('a delivery of the vendor is taken', async () => {
    expect(judge(scheme, secret, await make(body), NOW)).toBe('verified');
  });

  test('a changed body is refused', async () => {
    const made = await make(body);
    expect(
      judge(
        scheme,
        secret,
        { ...made, body: body.includes('issue.created') ? body.replace('created', 'removed') : `${body}&x=1` },
        NOW,
      ),
    ).toBe('invalid');
  });

  test('another secret is refused', async () => {
    const made = await make(body);
    const other = name === 'discord' ? 'ab'.repeat(32) : STANDARD.replace('c3Rh', 'AAAA');
    expect(judge(scheme, other, made, NOW)).toBe('invalid');
  });

  test('without its signature it is refused', async () => {
    const { headers, ...rest } = await make(body);
    const kept = Object.entries(headers).filter(([key]) => !/signature$|signature-|hmac|ed25519/i.test(key));
    expect(judge(scheme, secret, { ...rest, headers: Object.fromEntries(kept) }, NOW)).toBe('missing');
  });

  test.skipIf(lateMs === undefined)('a copy is refused once it is too old, and before its time', async () => {
    const made = await make(body);
    expect(judge(scheme, secret, made, NOW + lateMs!)).toBe('late'); // skipped without
    expect(judge(scheme, secret, made, NOW - lateMs!)).toBe('late'); // as above
  });
});
