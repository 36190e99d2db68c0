import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Alert } from '../alert/alert.ts';
import { formatBody, formatMail, type FormatInput } from './format.ts';
import { quietHours, tellAt } from './quiet-hours.ts';
import { fillTemplate, fieldsOf, notificationTemplate } from './template.ts';

const alert: Alert = {
  id: '0b1c',
  ruleId: 'rule-1',
  ruleKind: 'rule',
  title: 'Stolen token <!channel> & more',
  level: 'high',
  entity: { type: 'person', id: 'eve@example.com', name: 'Eve {{url}}\u202e' },
  product: 'okta',
  status: 'open',
  statusReason: null,
  statusAt: 0,
  statusBy: 'cordon',
  assignee: null,
  signals: 3,
  firstAt: Date.UTC(2026, 10, 1),
  lastAt: Date.UTC(2026, 10, 2),
  createdAt: 0,
  updatedAt: 0,
  delayMs: 1,
  drill: null,
};
const input: FormatInput = {
  alert,
  event: 'raised',
  template: null,
  routingKey: 'k'.repeat(32),
  publicUrl: 'https://cordon.example',
};
const long: FormatInput = {
  ...input,
  alert: { ...alert, title: '𝔸'.repeat(5_000), entity: { ...alert.entity, name: 'x'.repeat(5_000) } },
};

/** docs.slack.dev/reference/block-kit: what each block takes. */
const plain = z.strictObject({
  type: z.literal('plain_text'),
  text: z.string().min(1).max(150),
  emoji: z.boolean().optional(),
});
const mrkdwn = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(max) });
const slack = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.union([
        z.strictObject({ type: z.literal('header'), text: plain }),
        z.strictObject({ type: z.literal('section'), text: mrkdwn(3_000) }),
        z.strictObject({ type: z.literal('section'), fields: z.array(mrkdwn(2_000)).min(1).max(10) }),
        z.strictObject({
          type: z.literal('actions'),
          elements: z
            .array(
              z.strictObject({
                type: z.literal('button'),
                text: plain.extend({ text: z.string().max(75) }),
                url: z.url().max(3_000),
                action_id: z.string().max(255),
              }),
            )
            .max(25),
        }),
      ]),
    )
    .max(50),
});

/** learn.microsoft.com, "Create incoming webhooks with Workflows"; adaptivecards.io/explorer for the card. */
const teams = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.literal('1.4'),
        body: z.array(
          z.union([
            z.strictObject({
              type: z.literal('TextBlock'),
              text: z.string(),
              wrap: z.boolean(),
              weight: z.enum(['lighter', 'default', 'bolder']).optional(),
              size: z.enum(['small', 'default', 'medium', 'large', 'extraLarge']).optional(),
              color: z.enum(['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention']).optional(),
            }),
            z.strictObject({
              type: z.literal('FactSet'),
              facts: z.array(z.strictObject({ title: z.string(), value: z.string() })),
            }),
          ]),
        ),
        actions: z.array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() })),
      }),
    }),
  ]),
});

/** developer.pagerduty.com, Events API v2, "Send an Alert Event". */
const pagerduty = z.discriminatedUnion('event_action', [
  z.strictObject({
    event_action: z.literal('trigger'),
    routing_key: z.string().length(32),
    dedup_key: z.string().max(255),
    client: z.string(),
    client_url: z.url(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      component: z.string(),
      class: z.string(),
      custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({
    event_action: z.literal('resolve'),
    routing_key: z.string().length(32),
    dedup_key: z.string().max(255),
  }),
]);

describe('formats', () => {
  test.each([
    ['slack', slack],
    ['teams', teams],
    ['pagerduty', pagerduty],
  ] as const)('%s: raised, closed and overlong have the published shape', (kind, shape) => {
    for (const one of [input, { ...input, event: 'closed' } as const, long]) {
      expect(shape.safeParse(formatBody(kind, one)).error).toBeUndefined();
    }
  });

  test("in Slack, a vendor's text mentions nobody and links nowhere", () => {
    const text = JSON.stringify(formatBody('slack', input));
    expect(text).toContain('&lt;!channel&gt; &amp; more');
    // A header is plain text: nothing in it is read as a mention.
    expect(text.replace(/"plain_text","text":"[^"]*"/g, '')).not.toContain('<!channel>');
  });

  test("an alert's end resolves what its beginning opened", () => {
    const ended = formatBody('pagerduty', { ...input, event: 'closed' });
    expect(ended).toEqual({ routing_key: 'k'.repeat(32), dedup_key: '0b1c', event_action: 'resolve' });
  });

  test('a webhook and a mail', () => {
    expect(formatBody('webhook', input)).toMatchObject({
      type: 'cordon.alert.raised',
      alert_id: '0b1c',
      severity: 'high',
    });
    const mail = formatMail({ ...input, alert: { ...alert, title: 'a\r\nBcc: all@example.com' } });
    expect(mail.subject).toBe('Alert: a Bcc: all@example.com');
    expect(mail.text).toContain('https://cordon.example/alerts/0b1c');
  });
});

describe('templates', () => {
  test('values are put in once, and as they are', () => {
    const fields = fieldsOf(alert, 'raised', 'https://cordon.example');
    expect(fillTemplate('{{ entity }} / {{severity}}', fields)).toBe('Eve {{url}} / high');
  });

  test.each([
    ['{{title}}', true],
    ['{{secret}}', false],
    ['', false],
  ])('%s is valid: %s', (title, valid) => {
    expect(notificationTemplate.safeParse({ title, text: 'x' }).success).toBe(valid);
  });
});

describe('quiet hours', () => {
  const quiet = quietHours.parse({ zone: 'Europe/Berlin', from: '22:00', to: '07:00', days: [6, 7] });
  // 2026-11-20 is a Friday; Berlin is one hour ahead of UTC.
  test.each([
    ['by day', '2026-11-20T12:00:00Z', 'high', '2026-11-20T12:00:00Z'],
    ['at night, until morning', '2026-11-19T23:30:00Z', 'high', '2026-11-20T06:00:00Z'],
    ['on Friday night, until Monday', '2026-11-20T23:30:00Z', 'high', '2026-11-23T06:00:00Z'],
    ['severe enough', '2026-11-19T23:30:00Z', 'critical', '2026-11-19T23:30:00Z'],
    ['when clocks go back', '2026-10-24T22:30:00Z', 'low', '2026-10-26T06:00:00Z'],
  ] as const)('%s', (_what, at, level, expected) => {
    expect(new Date(tellAt(quiet, level, Date.parse(at))).toISOString()).toBe(expected.replace('Z', '.000Z'));
  });

  test.each([{ zone: 'Mars/Base' }, { from: '07:00' }, { from: '24:00' }, { days: [1, 2, 3, 4, 5, 6, 7] }])(
    'refuses %j',
    (over) => {
      const given = { zone: 'UTC', from: '22:00', to: '07:00', ...over };
      expect(quietHours.safeParse(given).success).toBe(false);
    },
  );
});
