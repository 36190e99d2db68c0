import { type Answers, type AnswerValue, type Form, questionsOf } from './form.ts';

export interface Change {
  readonly id: string;
  readonly question: string;
  readonly change: 'same' | 'changed' | 'new' | 'gone';
  /** The question itself is worded otherwise than before. */
  readonly isRephrased: boolean;
  readonly before: AnswerValue | null;
  readonly after: AnswerValue | null;
}

const ALIKE_MIN = 0.8;

function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
}

/** Shared words over all words, 0 to 1. */
function likeness(left: string, right: string): number {
  const [a, b] = [words(left), words(right)];
  const shared = a.intersection(b).size;
  return shared === 0 ? 0 : shared / a.union(b).size;
}

const shown = (value: AnswerValue | undefined): string =>
  JSON.stringify([value?.answer ?? null, value?.note ?? '', value?.ownership ?? '']);

interface Side {
  readonly form: Form;
  readonly answers: Answers;
}

/** Question by question, what changed between two questionnaires of a vendor. */
export function compareQuestionnaires(before: Side, after: Side): Change[] {
  const [old, now] = [questionsOf(before.form), questionsOf(after.form)].map(
    (list) => new Map(list.map((one) => [one.id, one])),
  );
  const ids = new Set([...(now?.keys() ?? []), ...(old?.keys() ?? [])]);
  return [...ids].map((id) => {
    const [was, is] = [old?.get(id), now?.get(id)];
    const [from, to] = [before.answers.get(id), after.answers.get(id)];
    return {
      id,
      question: is?.text ?? was?.text ?? '',
      change: !was ? 'new' : !is ? 'gone' : shown(from) === shown(to) ? 'same' : 'changed',
      isRephrased: was !== undefined && is !== undefined && was.text !== is.text,
      before: from ?? null,
      after: to ?? null,
    };
  });
}

/** Of earlier questionnaires the one to compare with: that which asks most of the same questions; of equals the first. */
export function closestForm<Earlier extends { readonly form: Form }>(
  form: Form,
  earlier: readonly Earlier[],
): Earlier | undefined {
  const asked = new Map(questionsOf(form).map(({ id, text }) => [id, text]));
  const shared = (one: Earlier): number =>
    questionsOf(one.form).filter(({ id, text }) => asked.get(id) === text).length;
  return earlier.map((one) => ({ one, count: shared(one) })).toSorted((a, b) => b.count - a.count)[0]?.one;
}

export interface Proposal {
  readonly questionId: string;
  readonly value: AnswerValue;
  /** The question of the earlier questionnaire that it answered. */
  readonly from: string;
  readonly likeness: number;
}

/** Earlier answers to the same questions: by id and wording, else by wording alone. */
export function proposeAnswers(before: Side, form: Form): Proposal[] {
  const old = questionsOf(before.form).filter(({ id }) => before.answers.has(id));
  const byId = new Map(old.map((one) => [one.id, one]));
  return questionsOf(form).flatMap((question) => {
    const same = byId.get(question.id);
    const candidates = same && likeness(same.text, question.text) >= ALIKE_MIN ? [same] : old;
    const best = candidates
      .map((one) => ({ one, score: likeness(one.text, question.text) }))
      .sort((a, b) => b.score - a.score)[0];
    const value = best && best.one.kind === question.kind ? before.answers.get(best.one.id) : undefined;
    if (!best || !value || best.score < ALIKE_MIN) return [];
    return [{ questionId: question.id, value, from: best.one.id, likeness: best.score }];
  });
}
