import { z } from 'zod';
import type { Alert } from '../alert/alert.ts';
import type { AlertEvent } from './queue.ts';

const TITLE_CHARS_MAX = 300;
const TEXT_CHARS_MAX = 4_000;

/** What a template may speak of. */
export const TEMPLATE_FIELDS = [
  'event',
  'title',
  'severity',
  'entity',
  'product',
  'rule',
  'signals',
  'first_seen',
  'last_seen',
  'reason',
  'url',
] as const;
type Field = (typeof TEMPLATE_FIELDS)[number];

const PLACEHOLDER = /\{\{\s*([a-z_]+)\s*\}\}/g;

const templateText = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .superRefine((text, context) => {
      for (const [, name = ''] of text.matchAll(PLACEHOLDER)) {
        if ((TEMPLATE_FIELDS as readonly string[]).includes(name)) continue;
        context.addIssue({
          code: 'custom',
          message: `{{${name}}} is nothing that an alert has; there are: ${TEMPLATE_FIELDS.join(', ')}.`,
        });
      }
    });

export const notificationTemplate = z.strictObject({
  title: templateText(TITLE_CHARS_MAX),
  text: templateText(TEXT_CHARS_MAX),
});
export type NotificationTemplate = z.output<typeof notificationTemplate>;

export const TEMPLATE: NotificationTemplate = {
  title: '{{event}}: {{title}}',
  text: '{{entity}} ({{product}}), severity {{severity}}, {{signals}} signals, last seen {{last_seen}}.',
};

/** A vendor's text may hold anything: on one line, without characters that reorder or hide what is read. */
export function plainLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

export function fieldsOf(alert: Alert, event: AlertEvent, publicUrl: string): Readonly<Record<Field, string>> {
  return {
    event: event === 'closed' ? 'Closed' : 'Alert',
    title: plainLine(alert.title),
    severity: alert.level,
    entity: plainLine(alert.entity.name === '' ? alert.entity.id : alert.entity.name),
    product: plainLine(alert.product),
    rule: alert.ruleId,
    signals: String(alert.signals),
    first_seen: new Date(alert.firstAt).toISOString(),
    last_seen: new Date(alert.lastAt).toISOString(),
    reason: alert.statusReason ?? '',
    url: `${publicUrl}/alerts/${alert.id}`,
  };
}

/** Puts values in once: a value that looks like a placeholder stays as it is. */
export function fillTemplate(text: string, fields: Readonly<Record<Field, string>>): string {
  return text.replaceAll(PLACEHOLDER, (whole, name: string) => fields[name as Field] ?? whole); // unknown names give undefined
}
