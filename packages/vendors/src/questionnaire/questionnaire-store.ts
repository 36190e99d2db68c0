import type { Queryable, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { NotFound } from '../errors.ts';
import { LIST_MAX, tablesOf, type VendorsTables } from '../tables.ts';
import { answerValue, type AnswerValue, type Form, formSchema } from './form.ts';
import { mappingInput } from './mapped.ts';

export type QuestionnaireState = 'draft' | 'sent' | 'submitted' | 'reviewed';

const originSchema = z.object({
  fileId: z.string(),
  format: z.enum(['caiq', 'mapped']),
  version: z.string().nullable(),
  mapping: mappingInput.nullable(),
});
export type Origin = z.output<typeof originSchema>;

export interface Questionnaire {
  readonly id: string;
  readonly vendorId: string;
  readonly title: string;
  readonly form: Form;
  readonly origin: Origin | null;
  readonly state: QuestionnaireState;
  readonly dueAt: number | null;
  readonly submittedAt: number | null;
  readonly createdAt: number;
}

export interface StoredAnswer {
  readonly questionId: string;
  readonly value: AnswerValue;
  readonly version: number;
  readonly review: 'accepted' | 'follow_up' | null;
  readonly by: string;
  readonly at: number;
}

export interface Comment {
  readonly id: string;
  readonly questionId: string;
  readonly author: string;
  readonly side: 'reviewer' | 'vendor';
  readonly text: string;
  readonly at: number;
}

function toQuestionnaire(row: Selectable<VendorsTables['questionnaires']>): Questionnaire {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    title: row.title,
    form: formSchema.parse(row.form),
    origin: row.origin === null ? null : originSchema.parse(row.origin),
    state: row.state as QuestionnaireState, // the column's check lists the same four
    dueAt: row.due_at?.getTime() ?? null,
    submittedAt: row.submitted_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
  };
}

export async function loadQuestionnaire(db: Queryable, id: string): Promise<Questionnaire> {
  const row = await tablesOf(db).selectFrom('questionnaires').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such questionnaire.', { questionnaire: id });
  return toQuestionnaire(row);
}

export async function lockQuestionnaire(tx: Transaction, id: string): Promise<Questionnaire> {
  await tablesOf(tx).selectFrom('questionnaires').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  return loadQuestionnaire(tx, id);
}

export async function listQuestionnaires(db: Queryable, vendorId?: string): Promise<Questionnaire[]> {
  let query = tablesOf(db).selectFrom('questionnaires').selectAll().orderBy('created_at', 'desc').limit(200);
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  return (await query.execute()).map(toQuestionnaire);
}

export async function insertQuestionnaire(
  tx: Transaction,
  {
    id,
    vendorId,
    title,
    form,
    origin,
    at,
  }: { id: string; vendorId: string; title: string; form: Form; origin: Origin | null; at: Date },
): Promise<void> {
  await tablesOf(tx)
    .insertInto('questionnaires')
    .values({
      id,
      vendor_id: vendorId,
      title,
      form: JSON.stringify(form),
      origin: origin === null ? null : JSON.stringify(origin),
      state: 'draft',
      due_at: null,
      reminded_at: null,
      submitted_at: null,
      created_at: at,
      updated_at: at,
    })
    .execute();
}

export async function updateQuestionnaire(
  tx: Queryable,
  id: string,
  change: { state?: QuestionnaireState; dueAt?: Date | null; submittedAt?: Date; remindedAt?: Date; at: Date },
): Promise<void> {
  const { state, dueAt, submittedAt, remindedAt, at } = change;
  await tablesOf(tx)
    .updateTable('questionnaires')
    .set({
      updated_at: at,
      ...(state === undefined ? {} : { state }),
      ...(dueAt === undefined ? {} : { due_at: dueAt }),
      ...(submittedAt === undefined ? {} : { submitted_at: submittedAt }),
      ...(remindedAt === undefined ? {} : { reminded_at: remindedAt }),
    })
    .where('id', '=', id)
    .execute();
}

export async function listAnswers(db: Queryable, id: string): Promise<StoredAnswer[]> {
  const rows = await tablesOf(db)
    .selectFrom('questionnaire_answers')
    .selectAll()
    .where('questionnaire_id', '=', id)
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    questionId: row.question_id,
    value: answerValue.parse(row.value),
    version: row.version,
    review: row.review as StoredAnswer['review'], // the column's check lists the same
    by: row.answered_by,
    at: row.answered_at.getTime(),
  }));
}

export function answersMap(list: readonly StoredAnswer[]): Map<string, AnswerValue> {
  return new Map(list.map(({ questionId, value }) => [questionId, value]));
}

/** Writes an answer; what a reviewer said of the one before it no longer holds. */
export async function saveAnswer(
  tx: Queryable,
  {
    questionnaireId,
    questionId,
    value,
    by,
    at,
  }: { questionnaireId: string; questionId: string; value: AnswerValue; by: string; at: Date },
): Promise<number> {
  const row = await tablesOf(tx)
    .insertInto('questionnaire_answers')
    .values({
      questionnaire_id: questionnaireId,
      question_id: questionId,
      value: JSON.stringify(value),
      version: 1,
      review: null,
      answered_by: by,
      answered_at: at,
    })
    .onConflict((conflict) =>
      conflict.columns(['questionnaire_id', 'question_id']).doUpdateSet((eb) => ({
        value: JSON.stringify(value),
        version: eb('questionnaire_answers.version', '+', 1),
        review: null,
        answered_by: by,
        answered_at: at,
      })),
    )
    .returning('version')
    .executeTakeFirstOrThrow();
  return row.version;
}

export async function saveReview(
  tx: Queryable,
  id: string,
  questionId: string,
  review: 'accepted' | 'follow_up',
): Promise<boolean> {
  const done = await tablesOf(tx)
    .updateTable('questionnaire_answers')
    .set({ review })
    .where('questionnaire_id', '=', id)
    .where('question_id', '=', questionId)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function insertComment(
  tx: Queryable,
  questionnaireId: string,
  { id, questionId, author, side, text, at }: Comment,
): Promise<void> {
  await tablesOf(tx)
    .insertInto('questionnaire_comments')
    .values({
      id,
      questionnaire_id: questionnaireId,
      question_id: questionId,
      author,
      side,
      text,
      created_at: new Date(at),
    })
    .execute();
}

export async function listComments(db: Queryable, id: string): Promise<Comment[]> {
  const query = tablesOf(db).selectFrom('questionnaire_comments').selectAll().where('questionnaire_id', '=', id);
  const rows = await query.orderBy('created_at').limit(LIST_MAX).execute();
  return rows.map((row) => ({
    id: row.id,
    questionId: row.question_id,
    author: row.author,
    side: row.side === 'vendor' ? 'vendor' : 'reviewer',
    text: row.text,
    at: row.created_at.getTime(),
  }));
}
