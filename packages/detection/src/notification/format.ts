import type { Alert } from '../alert/alert.ts';
import type { Level } from '../sigma/ast.ts';
import type { AlertEvent } from './queue.ts';
import { fieldsOf, fillTemplate, type NotificationTemplate, TEMPLATE } from './template.ts';

export const TARGET_KINDS = ['webhook', 'slack', 'teams', 'pagerduty', 'mail'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

export interface FormatInput {
  readonly alert: Alert;
  readonly event: AlertEvent;
  readonly template: NotificationTemplate | null;
  /** Of PagerDuty alone. */
  readonly routingKey: string | null;
  readonly publicUrl: string;
}

interface Told {
  readonly title: string;
  readonly text: string;
  readonly fields: ReturnType<typeof fieldsOf>;
}

function told({ alert, event, template, publicUrl }: FormatInput): Told {
  const fields = fieldsOf(alert, event, publicUrl);
  const { title, text } = template ?? TEMPLATE;
  return { title: fillTemplate(title, fields), text: fillTemplate(text, fields), fields };
}

/** Cut to what a vendor takes, without halving a character. */
function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** What a webhook is sent. `alert_id` with `type` is the idempotency key: a delivery may come twice after a crash. */
function webhookBody(input: FormatInput): object {
  const { alert, event, publicUrl } = input;
  const { title, text } = told(input);
  return {
    type: `cordon.alert.${event}`,
    alert_id: alert.id,
    title: alert.title,
    severity: alert.level,
    rule: alert.ruleId,
    entity: alert.entity,
    product: alert.product,
    first_seen: new Date(alert.firstAt).toISOString(),
    last_seen: new Date(alert.lastAt).toISOString(),
    signals: alert.signals,
    status: alert.status,
    url: `${publicUrl}/alerts/${alert.id}`,
    message: { title, text },
  };
}

/** docs.slack.dev, "Formatting message text": these three and no others, or a vendor's text makes links and mentions. */
const forSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Incoming webhook with Block Kit (docs.slack.dev/reference/block-kit/blocks): header 150 characters, section 3,000, field 2,000. */
function slackBody(input: FormatInput): object {
  const { title, text, fields } = told(input);
  const field = (name: string, value: string) => ({
    type: 'mrkdwn',
    text: cut(`*${name}*\n${forSlack(value)}`, 2_000),
  });
  return {
    text: cut(forSlack(title), 3_000),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(title, 150), emoji: false } },
      { type: 'section', text: { type: 'mrkdwn', text: cut(forSlack(text), 3_000) } },
      {
        type: 'section',
        fields: [field('Severity', fields.severity), field('Who', fields.entity), field('Product', fields.product)],
      },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: { type: 'plain_text', text: 'Open in Cordon' }, url: fields.url, action_id: 'open' },
        ],
      },
    ],
  };
}

const TEAMS_COLOURS = {
  critical: 'attention',
  high: 'attention',
  medium: 'warning',
  low: 'accent',
  informational: 'default',
} as const satisfies Record<Level, string>;

/** An Adaptive Card in a message, as a Teams workflow's webhook takes it; 1.4 is what Teams shows everywhere. */
function teamsBody(input: FormatInput): object {
  const { title, text, fields } = told(input);
  const fact = (name: string, value: string) => ({ title: name, value });
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: title,
              weight: 'bolder',
              size: 'medium',
              wrap: true,
              color: input.event === 'closed' ? 'good' : TEAMS_COLOURS[input.alert.level],
            },
            { type: 'TextBlock', text, wrap: true },
            {
              type: 'FactSet',
              facts: [fact('Severity', fields.severity), fact('Who', fields.entity), fact('Product', fields.product)],
            },
          ],
          actions: [{ type: 'Action.OpenUrl', title: 'Open in Cordon', url: fields.url }],
        },
      },
    ],
  };
}

const PAGERDUTY_SEVERITY = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
  informational: 'info',
} as const satisfies Record<Level, string>;

/** Events API v2 (developer.pagerduty.com, "Send an Alert Event"): the alert's id is the dedup_key, so its end resolves it. */
function pagerdutyBody(input: FormatInput): object {
  const { alert, event, routingKey } = input;
  const { title, text, fields } = told(input);
  const common = { routing_key: routingKey ?? '', dedup_key: alert.id };
  if (event === 'closed') return { ...common, event_action: 'resolve' };
  return {
    ...common,
    event_action: 'trigger',
    client: 'Cordon',
    client_url: fields.url,
    links: [{ href: fields.url, text: 'Open in Cordon' }],
    payload: {
      summary: cut(title, 1_024),
      source: cut(fields.entity === '' ? 'cordon' : fields.entity, 255),
      severity: PAGERDUTY_SEVERITY[alert.level],
      timestamp: fields.first_seen,
      component: fields.product,
      class: alert.ruleId,
      custom_details: { text, entity: alert.entity, signals: alert.signals },
    },
  };
}

const BODIES = {
  webhook: webhookBody,
  slack: slackBody,
  teams: teamsBody,
  pagerduty: pagerdutyBody,
} as const satisfies Record<Exclude<TargetKind, 'mail'>, (input: FormatInput) => object>;

/** The JSON that a target of this kind is posted. */
export function formatBody(kind: Exclude<TargetKind, 'mail'>, input: FormatInput): object {
  return BODIES[kind](input);
}

/** Subject and text of a mail: plain, because nothing in an alert needs more. */
export function formatMail(input: FormatInput): { readonly subject: string; readonly text: string } {
  const { title, text, fields } = told(input);
  const lines = [
    text,
    '',
    `Severity: ${fields.severity}`,
    `Who: ${fields.entity}`,
    `Rule: ${fields.rule}`,
    '',
    fields.url,
  ];
  return { subject: cut(title, 200), text: `${lines.join('\n')}\n` };
}
