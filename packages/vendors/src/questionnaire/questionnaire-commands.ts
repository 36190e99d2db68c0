import { type Actor, appendAudit, authorize, describeActor, type Transaction, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { parseInput, type VendorsContext } from '../context.ts';
import { NotFound, StateConflict } from '../errors.ts';
import { queueMail } from '../mail/mail-queue.ts';
import { addressOf, insertLink, TOKEN_BYTES } from '../portal/link.ts';
import { dayOf, MAIL_TEXTS } from '../portal/mail-texts.ts';
import { insertFile, openFile, openTexts, readUpload } from '../register/file-store.ts';
import type { Upload } from '../register/vendor-commands.ts';
import { loadVendor } from '../register/vendor-store.ts';
import { tablesOf } from '../tables.ts';
import { readCaiq } from './caiq.ts';
import { closestForm, compareQuestionnaires, proposeAnswers } from './compare.ts';
import { type ExportedAnswer, writeAnswers } from './export.ts';
import {
  answersOfImport,
  answerValue,
  fitsQuestion,
  type Form,
  formOfImport,
  formSchema,
  LANGUAGES,
  questionsOf,
  visibleQuestions,
} from './form.ts';
import { exportQuestionnaire } from './import.ts';
import { type MappingInput, mappingInput, readMapped } from './mapped.ts';
import { findPassages, passagesOf } from './passages.ts';
import {
  answersMap,
  insertComment,
  insertQuestionnaire,
  listAnswers,
  listQuestionnaires,
  loadQuestionnaire,
  lockQuestionnaire,
  type Questionnaire,
  saveAnswer,
  saveReview,
  updateQuestionnaire,
} from './questionnaire-store.ts';

const SUGGESTIONS_MAX = 3;
const LINK_DAYS_MAX = 365;
const DAY_MS = 86_400_000;
const COMMENT_CHARS_MAX = 4_000;

export const sendInput = z.strictObject({
  email: z.email().max(254),
  language: z.enum(LANGUAGES).default('en'),
  validDays: z.int().min(1).max(LINK_DAYS_MAX).default(30),
  dueAt: z.int().nullable().default(null),
});
const title = z.string().trim().min(1).max(200);

/** Everything about questionnaires that people of the house do. */
export function createQuestionnaireCommands(context: VendorsContext) {
  const { db, clock, envelope } = context;

  const change = async (
    actor: Actor,
    id: string,
    action: string,
    write: (tx: Transaction, questionnaire: Questionnaire, at: number) => Promise<Record<string, unknown>>,
  ): Promise<Questionnaire> => {
    authorize(actor, 'vendor.write');
    const at = clock.now();
    return db.transaction(async (tx) => {
      const questionnaire = await lockQuestionnaire(tx, id);
      const detail = await write(tx, questionnaire, at);
      const target = { type: 'questionnaire', id, name: questionnaire.title };
      await appendAudit(tx, { actor, action, target, detail: { vendor: questionnaire.vendorId, ...detail }, at });
      return loadQuestionnaire(tx, id);
    });
  };

  const make = async (actor: Actor, vendorId: string, form: Form, named: string): Promise<Questionnaire> => {
    authorize(actor, 'vendor.write');
    const at = clock.now();
    const id = uuidv7(at);
    return db.transaction(async (tx) => {
      const vendor = await loadVendor(tx, vendorId);
      await insertQuestionnaire(tx, { id, vendorId, title: named, form, origin: null, at: new Date(at) });
      const target = { type: 'questionnaire', id, name: named };
      const detail = { vendor: vendor.id, form: form.id, version: form.version };
      await appendAudit(tx, { actor, action: 'questionnaire.created', target, detail, at });
      return loadQuestionnaire(tx, id);
    });
  };

  const readForm = async (upload: Upload, mapping: MappingInput | undefined) => {
    const file = await readUpload(context.files, upload.name, upload.bytes);
    if (file.document?.kind !== 'workbook') throw new StateConflict('A questionnaire is a workbook (.xlsx).');
    const { workbook } = file.document;
    return { file, imported: mapping === undefined ? readCaiq(workbook) : readMapped(workbook, mapping) };
  };

  return {
    /** From a built-in form, such as `mvsp`. */
    createBuiltIn(actor: Actor, vendorId: string, formId: string): Promise<Questionnaire> {
      const form = context.forms.find(({ id }) => id === formId);
      if (!form)
        throw new NotFound(
          `There is no form named ${formId}. There are: ${context.forms.map(({ id }) => id).join(', ')}.`,
        );
      return make(actor, vendorId, form, form.title);
    },

    /** From a form of one's own, with branching. */
    createOwn(actor: Actor, vendorId: string, raw: unknown): Promise<Questionnaire> {
      const form = parseInput(formSchema, raw);
      return make(actor, vendorId, form, form.title);
    },

    /** From a workbook: its questions, and the answers that it came with. */
    async createFromWorkbook(
      actor: Actor,
      vendorId: string,
      upload: Upload,
      options: { title?: string; mapping?: MappingInput } = {},
    ) {
      authorize(actor, 'vendor.write');
      const mapping = options.mapping === undefined ? undefined : parseInput(mappingInput, options.mapping);
      const { file, imported } = await readForm(upload, mapping);
      const named = parseInput(
        title,
        options.title ?? (imported.format === 'caiq' ? `CAIQ ${imported.version ?? ''}`.trim() : imported.sheet),
      );
      const form = formOfImport(named, imported);
      const at = clock.now();
      const id = uuidv7(at);
      const answers = answersOfImport(imported);
      return db.transaction(async (tx) => {
        const vendor = await loadVendor(tx, vendorId);
        const by = describeActor(actor).name;
        const kept = await insertFile(tx, envelope, file, { vendorId: vendor.id, purpose: 'questionnaire', by, at });
        const origin = {
          fileId: kept.id,
          format: imported.format,
          version: imported.version,
          mapping: mapping ?? null,
        };
        await insertQuestionnaire(tx, { id, vendorId, title: named, form, origin, at: new Date(at) });
        for (const [questionId, value] of answers)
          await saveAnswer(tx, { questionnaireId: id, questionId, value, by, at: new Date(at) });
        const target = { type: 'questionnaire', id, name: named };
        const detail = {
          vendor: vendor.id,
          file: kept.sha256,
          questions: imported.questions.length,
          answers: answers.size,
        };
        await appendAudit(tx, { actor, action: 'questionnaire.imported', target, detail, at });
        return { questionnaire: await loadQuestionnaire(tx, id), problems: imported.problems };
      });
    },

    /** Fills an existing questionnaire from a workbook that the vendor returned. */
    async fillFromWorkbook(actor: Actor, id: string, upload: Upload) {
      authorize(actor, 'vendor.write');
      const before = await loadQuestionnaire(db, id);
      const { imported } = await readForm(upload, before.origin?.mapping ?? undefined);
      const known = new Map(questionsOf(before.form).map((one) => [one.id, one]));
      const answers = [...answersOfImport(imported)];
      const unknown = answers.filter(([questionId]) => !known.has(questionId)).map(([questionId]) => questionId);
      let filled = 0;
      await change(actor, id, 'questionnaire.filled', async (tx, _questionnaire, at) => {
        const by = describeActor(actor).name;
        for (const [questionId, value] of answers) {
          const question = known.get(questionId);
          if (!question || !fitsQuestion(question, value)) continue;
          await saveAnswer(tx, { questionnaireId: id, questionId, value, by, at: new Date(at) });
          filled += 1;
        }
        return { answers: filled };
      });
      return { filled, unknown };
    },

    /** Makes the link that a vendor's contact answers through, and mails it. The address is told once, here. */
    async send(actor: Actor, id: string, raw: unknown): Promise<{ linkId: string; url: string; expiresAt: number }> {
      const { email, language, validDays, dueAt } = parseInput(sendInput, raw);
      const token = context.random(TOKEN_BYTES).toString('base64url');
      const url = addressOf(context.publicUrl, token);
      const linkId = uuidv7(clock.now());
      const expiresAt = clock.now() + validDays * DAY_MS;
      await change(actor, id, 'questionnaire.sent', async (tx, questionnaire, at) => {
        if (!['draft', 'sent'].includes(questionnaire.state))
          throw new StateConflict('The questionnaire is submitted already.');
        const invitedBy = describeActor(actor).name;
        await insertLink(tx, envelope, {
          id: linkId,
          token,
          questionnaireId: id,
          email,
          language,
          questions: null,
          invitedBy,
          expiresAt,
          at,
        });
        const due = dueAt === null ? {} : { dueAt: new Date(dueAt) };
        await updateQuestionnaire(tx, id, { state: 'sent', ...due, at: new Date(at) });
        const mail = MAIL_TEXTS[language].invite(questionnaire.title, invitedBy, url, dayOf(expiresAt));
        await queueMail(tx, { envelope, at }, { to: email, ...mail });
        return { to: email, until: expiresAt };
      });
      return { linkId, url, expiresAt };
    },

    revokeLink(actor: Actor, id: string, linkId: string): Promise<Questionnaire> {
      return change(actor, id, 'questionnaire.link_revoked', async (tx, _questionnaire, at) => {
        const done = await tablesOf(tx)
          .updateTable('portal_links')
          .set({ revoked_at: new Date(at) })
          .where('id', '=', linkId)
          .where('questionnaire_id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (done.numUpdatedRows === 0n) throw new NotFound('There is no such live link.', { link: linkId });
        return { link: linkId };
      });
    },

    answer(actor: Actor, id: string, questionId: string, raw: unknown): Promise<Questionnaire> {
      const value = parseInput(answerValue, raw);
      return change(actor, id, 'questionnaire.answered', async (tx, { form, state }, at) => {
        if (state === 'reviewed') throw new StateConflict('The questionnaire is reviewed.');
        const question = questionsOf(form).find((one) => one.id === questionId);
        if (!question || !fitsQuestion(question, value))
          throw new NotFound('There is no such question, or it offers no such answer.');
        await saveAnswer(tx, {
          questionnaireId: id,
          questionId,
          value,
          by: describeActor(actor).name,
          at: new Date(at),
        });
        return { question: questionId };
      });
    },

    /** A reviewer accepts an answer or asks on; what is said the vendor sees in the portal. */
    review(
      actor: Actor,
      id: string,
      questionId: string,
      input: { verdict: 'accepted' | 'follow_up'; comment?: string | undefined },
    ) {
      return change(actor, id, 'questionnaire.reviewed_answer', async (tx, _questionnaire, at) => {
        if (!(await saveReview(tx, id, questionId, input.verdict))) throw new NotFound('This question has no answer.');
        if (input.comment !== undefined && input.comment.trim() !== '') {
          const text = parseInput(z.string().trim().max(COMMENT_CHARS_MAX), input.comment);
          const author = describeActor(actor).name;
          await insertComment(tx, id, { id: uuidv7(at), questionId, author, side: 'reviewer', text, at });
        }
        return { question: questionId, verdict: input.verdict };
      });
    },

    /** Ends the review; with open follow-ups the questionnaire goes back to the vendor instead. */
    finishReview(actor: Actor, id: string): Promise<Questionnaire> {
      return change(actor, id, 'questionnaire.review_finished', async (tx, { state, form }, at) => {
        if (state !== 'submitted') throw new StateConflict('Only a submitted questionnaire is reviewed.');
        const answers = await listAnswers(tx, id);
        const followUps = answers.filter(({ review }) => review === 'follow_up').length;
        const asked = new Set(visibleQuestions(form, answersMap(answers)).map((one) => one.id));
        const open = answers.filter(({ questionId, review }) => asked.has(questionId) && review === null).length;
        if (followUps === 0 && open > 0) throw new StateConflict(`${open} answers are not reviewed yet.`, { open });
        await updateQuestionnaire(tx, id, { state: followUps > 0 ? 'sent' : 'reviewed', at: new Date(at) });
        return { followUps };
      });
    },

    /** What the vendor's own documents say about a question, with file, page and passage. */
    async suggest(actor: Actor, id: string, questionId: string) {
      authorize(actor, 'vendor.read');
      const { form, vendorId } = await loadQuestionnaire(db, id);
      const question = questionsOf(form).find((one) => one.id === questionId);
      if (!question) throw new NotFound('There is no such question.', { question: questionId });
      const passages = (await openTexts(db, envelope, vendorId)).flatMap(passagesOf);
      return findPassages(`${question.text} ${question.help ?? ''}`, passages, SUGGESTIONS_MAX);
    },

    /** Against the questionnaire before it of the same vendor: what changed, and what could be answered from it. */
    async compare(actor: Actor, id: string, withId?: string) {
      authorize(actor, 'vendor.read');
      const now = await loadQuestionnaire(db, id);
      const all = await listQuestionnaires(db, now.vendorId);
      const earlier = all.filter((one) => one.id !== id && one.createdAt < now.createdAt);
      const before = withId === undefined ? closestForm(now.form, earlier) : all.find((one) => one.id === withId);
      if (!before) throw new NotFound('The vendor has no earlier questionnaire.');
      const [then, today] = await Promise.all([listAnswers(db, before.id), listAnswers(db, id)]);
      const [left, right] = [
        { form: before.form, answers: answersMap(then) },
        { form: now.form, answers: answersMap(today) },
      ];
      return {
        withId: before.id,
        changes: compareQuestionnaires(left, right),
        proposals: proposeAnswers(left, now.form),
      };
    },

    /** A workbook with the answers: the publisher's own when it came from one. */
    async export(actor: Actor, id: string): Promise<{ name: string; bytes: Uint8Array; problems: readonly string[] }> {
      authorize(actor, 'vendor.read');
      const { form, origin, vendorId, title: named } = await loadQuestionnaire(db, id);
      const answers = new Map<string, ExportedAnswer>();
      for (const { questionId, value } of await listAnswers(db, id)) {
        const orNull = (text: string): string | null => (text === '' ? null : text);
        const answer = Array.isArray(value.answer) ? value.answer.join('; ') : value.answer;
        answers.set(questionId, {
          answer,
          ownership: orNull(value.ownership),
          implementation: orNull(value.note),
          responsibilities: orNull(value.responsibilities),
        });
      }
      if (origin) {
        const file = await openFile(db, envelope, vendorId, origin.fileId);
        const mapping = origin.mapping ?? undefined;
        const { bytes, problems } = await exportQuestionnaire(context.files, file.bytes, answers, mapping);
        return { name: file.name, bytes, problems };
      }
      const rows = questionsOf(form).map(({ id: questionId, text }) => ({
        id: questionId,
        question: text,
        ...answers.get(questionId),
      }));
      return { name: `${named}.xlsx`, bytes: writeAnswers(named, rows), problems: [] };
    },
  };
}
