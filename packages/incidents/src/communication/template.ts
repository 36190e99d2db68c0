import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { IncidentCase } from '../cases/case.ts';
import type { CaseLink } from '../cases/case-store.ts';
import { DutyInvalid } from '../errors.ts';
import { type CaseFacts, FACTS } from './fact.ts';

const templateSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,60}$/),
  title: z.string().min(3).max(200),
  subject: z.string().min(3).max(300),
  text: z.string().min(10).max(8_000),
});
export type Template = z.output<typeof templateSchema>;

/** Fields that a template can name as `{{case.title}}`; any other name is an error of the build. */
export const FIELDS = [
  'case.number',
  'case.title',
  'case.summary',
  'case.severity',
  'case.status',
  'case.statusPage',
  'case.tlp',
  'case.began',
  'case.detected',
  'case.contained',
  'case.commander',
  'case.liaison',
  'about.apps',
  'about.integrations',
  'about.vendors',
  'about.data',
  'facts.people',
  'facts.known',
  'duty.title',
  'duty.law',
  'duty.due',
  'recipient',
  'now',
] as const;
export type FieldName = (typeof FIELDS)[number];
const PLACE = /\{\{\s*([\w.]+)\s*\}\}/g;

/** `content/messages`: one file a template. */
export function loadTemplates(folder: string): Template[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const parsed = templateSchema.safeParse(parse(readFileSync(join(folder, name), 'utf8')));
      if (!parsed.success) throw new DutyInvalid(`${name}: ${z.prettifyError(parsed.error)}`);
      for (const [, field = ''] of `${parsed.data.subject} ${parsed.data.text}`.matchAll(PLACE)) {
        if (!FIELDS.some((one) => one === field)) throw new DutyInvalid(`${name}: there is no field ${field}.`);
      }
      return parsed.data;
    });
}

const moment = (at: number | null): string => (at === null ? 'not yet' : new Date(at).toISOString());

export function fieldsOf(given: {
  readonly of: IncidentCase;
  readonly links: readonly CaseLink[];
  readonly facts: CaseFacts;
  readonly now: number;
  readonly duty?: { readonly title: string; readonly law: string; readonly dueAt: number | null };
  readonly recipient?: string;
}): Record<FieldName, string> {
  const { of, links, facts, duty } = given;
  const named = (kind: CaseLink['kind']): string =>
    links
      .filter((one) => one.kind === kind)
      .map(({ name }) => name)
      .join(', ') || 'none known';
  const known = Object.entries(FACTS).flatMap(
    ([name, text]) => (facts.facts[name as keyof typeof FACTS] === true ? [`- ${text}`] : []), // a key of FACTS
  );
  return {
    'case.number': String(of.number),
    'case.title': of.title,
    'case.summary': of.summary || 'under investigation',
    'case.severity': of.severity,
    'case.status': of.status,
    'case.statusPage': of.statusPage || of.summary || 'under investigation',
    'case.tlp': `TLP:${of.tlp.toUpperCase()}`,
    'case.began': moment(of.occurredAt),
    'case.detected': moment(of.detectedAt),
    'case.contained': moment(of.containedAt),
    'case.commander': of.roles.commander ?? 'to be named',
    'case.liaison': of.roles.liaison ?? of.roles.commander ?? 'to be named',
    'about.apps': named('app'),
    'about.integrations': named('integration'),
    'about.vendors': named('vendor'),
    'about.data': named('data-class'),
    'facts.people': facts.people === null ? 'not known yet' : String(facts.people),
    'facts.known': known.join('\n') || 'under investigation',
    'duty.title': duty?.title ?? '',
    'duty.law': duty?.law ?? '',
    'duty.due': duty ? moment(duty.dueAt) : '',
    recipient: given.recipient ?? '',
    now: moment(given.now),
  };
}

export function render({ subject, text }: Template, fields: Readonly<Record<string, string>>) {
  const fill = (source: string): string => source.replaceAll(PLACE, (_whole, name: string) => fields[name] ?? '');
  return { subject: fill(subject).replaceAll(/\s+/g, ' '), text: fill(text) };
}
