import { type Classifier, type Finding, redact } from '@cordon/classifier';
import { type InspectionAction, type InspectionResolver, stricterAction } from '@cordon/policy';
import { z } from 'zod';
import type { ReadRecord, TextPart } from './ports.ts';

const WHERE_MAX = 5;
const MASKED_MAX = 3;
const TITLE_CHARS_MAX = 200;
const LABELS = ['public', 'internal', 'confidential', 'restricted'] as const;

/** What was found of one class in one record. Never a value: only masked evidence. */
export const foundClass = z.object({
  class: z.string(),
  types: z.array(z.string()),
  category: z.string(),
  label: z.enum(LABELS),
  count: z.int(),
  confidence: z.number(),
  /** Fields or places, the first few. */
  where: z.array(z.string()),
  masked: z.array(z.string()),
  action: z.string(),
  rule: z.object({ id: z.string(), name: z.string() }),
});
export type FoundClass = z.output<typeof foundClass>;

export interface JudgedRecord {
  /** Of those that a rule does not simply allow. */
  readonly classes: readonly FoundClass[];
  readonly action: InspectionAction;
  readonly rule: { readonly id: string; readonly name: string };
  readonly label: FoundClass['label'];
  readonly found: number;
}

/** The text of a record itself: title and content as one JSON document, so that names of fields count as context. */
export function recordPart(record: Pick<ReadRecord, 'title' | 'content'>): TextPart {
  const { title, content } = record;
  const json = JSON.stringify({ title: title ?? undefined, content: content ?? undefined });
  return { where: 'record', bytes: Buffer.from(json), contentType: 'application/json' };
}

function placeOf(part: TextPart, finding: Finding): string {
  const { key } = finding.evidence;
  return part.where === 'record' ? (key ?? 'record') : key === undefined ? part.where : `${part.where}: ${key}`;
}

/** Of a secret not even the last characters. */
const maskedOf = (finding: Finding): string | undefined =>
  finding.class.startsWith('credential') ? '********' : finding.evidence.masked;

interface Tally {
  readonly first: Finding;
  readonly types: Set<string>;
  readonly where: Set<string>;
  readonly masked: Set<string>;
  count: number;
  confidence: number;
  label: FoundClass['label'];
}

function tally(classifier: Classifier, parts: readonly TextPart[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const part of parts) {
    for (const finding of classifier.scan(part.bytes, { contentType: part.contentType })) {
      const known = tallies.get(finding.class);
      const one = known ?? {
        first: finding,
        types: new Set<string>(),
        where: new Set<string>(),
        masked: new Set<string>(),
        count: 0,
        confidence: 0,
        label: finding.label,
      };
      if (!known) tallies.set(finding.class, one);
      one.count += 1;
      one.types.add(finding.type);
      one.confidence = Math.max(one.confidence, finding.confidence);
      if (LABELS.indexOf(finding.label) > LABELS.indexOf(one.label)) one.label = finding.label;
      if (one.where.size < WHERE_MAX) one.where.add(placeOf(part, finding));
      const masked = maskedOf(finding);
      if (masked !== undefined && one.masked.size < MASKED_MAX) one.masked.add(masked);
    }
  }
  return tallies;
}

/** What a record holds and what the rules say of it; null when nothing is to be told. */
export function judgeRecord(
  classifier: Classifier,
  parts: readonly TextPart[],
  resolve: InspectionResolver,
): JudgedRecord | null {
  const classes = [...tally(classifier, parts)].flatMap(([name, one]): FoundClass[] => {
    const { category } = one.first;
    const { action, rule } = resolve(name, one.label, { category, count: one.count });
    if (action === 'allow') return [];
    const { label, count, confidence } = one;
    const lists = { types: [...one.types], where: [...one.where], masked: [...one.masked] };
    return [
      { class: name, category, label, count, confidence, ...lists, action, rule: { id: rule.id, name: rule.name } },
    ];
  });
  const [first] = classes;
  if (!first) return null;
  const strictest = classes.reduce((a, b) => (stricterAction(asAction(a), asAction(b)) === a.action ? a : b), first);
  const label = classes.reduce<FoundClass['label']>(
    (highest, one) => (LABELS.indexOf(one.label) > LABELS.indexOf(highest) ? one.label : highest),
    'public',
  );
  return {
    classes,
    action: asAction(strictest),
    rule: strictest.rule,
    label,
    found: classes.reduce((sum, { count }) => sum + count, 0),
  };
}

const asAction = (one: FoundClass): InspectionAction => one.action as InspectionAction; // the resolver gave it

/** A title that can be shown: what was found in it is masked. */
export function shownTitle(classifier: Classifier, title: string | null | undefined): string | null {
  if (!title) return null;
  const bytes = Buffer.from(title.slice(0, TITLE_CHARS_MAX));
  const found = classifier.scan(bytes, { contentType: 'text/plain' });
  return found.length === 0
    ? bytes.toString('utf8')
    : Buffer.from(redact(bytes, found, { mode: 'replace' }).bytes).toString('utf8');
}

const cleaned = z.object({ title: z.string().optional(), content: z.json().optional() });

/**
 * The record with what was found of these classes replaced, and how many values that were. The JSON stays well-formed
 * whatever is cut.
 */
export function cleanRecord(
  classifier: Classifier,
  record: ReadRecord,
  classes: ReadonlySet<string>,
  replacement: (finding: Finding, value: string) => string,
): { readonly record: ReadRecord; readonly count: number } {
  const { bytes, contentType } = recordPart(record);
  const found = classifier.scan(bytes, { contentType }).filter((finding) => classes.has(finding.class));
  const { bytes: after, count } = redact(bytes, found, { mode: 'replace', replacement });
  const { title, content } = cleaned.parse(JSON.parse(Buffer.from(after).toString('utf8')));
  return {
    record: { ...record, ...(title === undefined ? {} : { title }), ...(content === undefined ? {} : { content }) },
    count,
  };
}
