import type { Clause } from './clause.ts';
import { type Duration, findDurations, findQualifier } from './duration.ts';
import type { Sentence } from './sentence.ts';

/** How one sentence speaks of a clause. */
export interface Reading {
  readonly sentence: Sentence;
  readonly stance: 'grants' | 'weaker' | 'denies';
  readonly reasons: readonly string[];
  readonly durations: readonly Duration[];
  /** The duration that the clause's act is bound to. */
  readonly clock: Duration | null;
  readonly qualifier: string | null;
}

const CUSTOMER =
  'customers?|controllers?|clients?|subscribers?|licensees?|data exporters?|purchasers?|you|covered entity';
const SUBJECT = new RegExp(
  String.raw`\b(${CUSTOMER}|(?:service )?providers?|processors?|vendors?|suppliers?|contractors?|licensors?|data importers?|business associates?|we|sub-?processors?|parties|party)\b(?:,[^,]{1,80},)?\s+(?:also |further |hereby )?(shall|will|must|may|can|should|agrees?|undertakes?|is|are|has|have)\b`,
  'gi',
);
const IS_CUSTOMER = new RegExp(`^(?:${CUSTOMER})$`, 'i');
/** Limits of the refusal itself: "shall not engage another processor without ..." obliges. */
const EXCEPTION = /\b(?:without|unless|until|except|before|other than|prior to|later than|only)\b/i;
const GENERAL_DENIALS = [
  /\b(?:shall|will|is|are|be|has|have|does|do|may|must|under)\s+(?:not|never|no|in no event)\b[^.;]{0,40}\b(?:required|obliged|obligated|obligation|duty|entitled|permitted|responsible|right)\b/i,
  /\b(?:no|any) (?:obligation|duty|requirement|right|commitment)s? (?:whatsoever )?(?:to|of|for|on)\b/i,
  /\bnothing in this [\w ]{3,40} (?:obliges|requires|entitles|grants|gives)\b/i,
  /\b(?:waives?|disclaims?)\b[^.;]{0,60}\b(?:right|obligation|duty)\b/i,
];
/** "Does not limit any liability" denies nothing. */
const KEEPS =
  /\b(?:not|nothing)\b[^.;]{0,60}\b(?:limits?|affects?|restricts?|relieves?|excludes?|prejudices?|releases?|waives?)\b/i;
const DISCRETION =
  /\bat (?:its|their|the (?:provider|processor|vendor|supplier)'s) (?:sole |own |absolute )?discretion\b/i;
const EFFORTS =
  /\b(?:commercially |reasonable |commercially reasonable |best )+(?:efforts|endeavou?rs)\b|\b(?:endeavou?r|attempt|aim|try|strive|seek)s? to\b/i;
const LIMIT_REACH_CHARS = 250;

/** Who the act falls to: the last "X shall" before it. */
function subjectBefore(text: string, at: number): { subject: string; modal: string; at: number } | null {
  let last: { subject: string; modal: string; at: number } | null = null;
  for (const match of text.matchAll(SUBJECT)) {
    if (match.index > at) break;
    last = { subject: match[1] ?? '', modal: (match[2] ?? '').toLowerCase(), at: match.index };
  }
  return last;
}

/** "shall not notify": a plain denial of the act, with nothing that turns it round. */
function deniesAct(text: string, actAt: number, actEnd: number): boolean {
  const before = text.slice(Math.max(0, actAt - 60), actAt);
  const denied =
    /\b(?:shall|will|does|do|may|must|can|need|is|are)\s*(?:not|never)\b(?:\s+\w+){0,3}\s*$|\bcannot(?:\s+\w+){0,2}\s*$/i.test(
      before,
    );
  return denied && !EXCEPTION.test(text.slice(actEnd)) && !EXCEPTION.test(before);
}

function chooseClock(
  durations: readonly Duration[],
  actAt: number,
  kind: 'at_most' | 'any' | 'at_least',
): Duration | null {
  // "At least ten days in advance" is no limit, but it is the time that such a clause names.
  const limits = durations.filter(({ isLimit }) => isLimit || kind !== 'at_most');
  const near = limits.filter(({ start }) => Math.abs(start - actAt) <= LIMIT_REACH_CHARS);
  const after = near.find(({ start }) => start >= actAt);
  return after ?? near[0] ?? limits[0] ?? null;
}

/** Whether a sentence holds a clause, and how; null when it is about something else. */
export function readSentence(sentence: Sentence, clause: Clause): Reading | null {
  if (sentence.isDefinition) return null;
  const { text, context } = sentence;
  const wide = `${context} ${text}`;
  let act: RegExpExecArray | null = null;
  for (const find of clause.find) {
    act = find.act.exec(text);
    if (act && find.topic.every((topic) => topic.test(wide))) break;
    act = null;
  }
  if (!act || clause.exclude.some((exclude) => exclude.test(text))) return null;
  const [at, end] = [act.index, act.index + act[0].length];
  // An item takes its subject from the words that lead into the list.
  const subject = subjectBefore(text, end) ?? subjectBefore(context, context.length);
  if (clause.obligor === 'provider' && subject && IS_CUSTOMER.test(subject.subject)) {
    const passive = /\bby (?:the )?(?:provider|processor|vendor|supplier)\b/i.test(text);
    const isGiven = /\b(?:is|are|agrees?)\b/.test(subject.modal) || /\b(?:has|have) the right\b/i.test(text);
    if (!passive && !isGiven) return null;
  }
  const denies =
    clause.negated.some((one) => one.test(text)) ||
    (!KEEPS.test(text) && GENERAL_DENIALS.some((one) => one.test(text))) ||
    (!KEEPS.test(text) && deniesAct(text, at, end));
  const durations = findDurations(text);
  const reasons = clause.weaker.filter(({ when }) => when.test(text)).map(({ reason }) => reason);
  if (clause.obligor === 'provider' && subject && /^(?:may|can|should)$/.test(subject.modal)) {
    if (!IS_CUSTOMER.test(subject.subject)) reasons.push(`It says "${subject.modal}", which binds to nothing.`);
  }
  if (DISCRETION.test(text)) reasons.push("It is left to the provider's discretion.");
  if (EFFORTS.test(text)) reasons.push('It promises efforts, not the result.');
  return {
    sentence,
    stance: denies ? 'denies' : reasons.length > 0 ? 'weaker' : 'grants',
    reasons: denies ? ['The contract denies it.'] : reasons,
    durations,
    clock: clause.clock ? chooseClock(durations, at, clause.clock.kind) : null,
    qualifier: findQualifier(text),
  };
}
