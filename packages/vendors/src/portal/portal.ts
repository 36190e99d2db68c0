import { type Actor, appendAudit, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { parseInput, type VendorsContext } from '../context.ts';
import { InputInvalid, NotFound, StateConflict } from '../errors.ts';
import { queueMail } from '../mail/mail-queue.ts';
import { closestForm, proposeAnswers } from '../questionnaire/compare.ts';
import {
  answerValue,
  type AnswerValue,
  fitsQuestion,
  progressOf,
  type Question,
  questionsOf,
  visibleQuestions,
} from '../questionnaire/form.ts';
import {
  answersMap,
  insertComment,
  listAnswers,
  listComments,
  listQuestionnaires,
  loadQuestionnaire,
  lockQuestionnaire,
  type Questionnaire,
  saveAnswer,
  updateQuestionnaire,
} from '../questionnaire/questionnaire-store.ts';
import { ATTACHMENT_BYTES_MAX, insertFile, listFiles, readUpload } from '../register/file-store.ts';
import type { Upload } from '../register/vendor-commands.ts';
import { createEntrance, findSession } from './entrance.ts';
import { addressOf, insertLink, type PortalLink, TOKEN_BYTES } from './link.ts';
import { dayOf, MAIL_TEXTS } from './mail-texts.ts';

const DELEGATES_MAX = 50;
const COMMENT_CHARS_MAX = 4_000;
const delegateInput = z.strictObject({
  email: z.email().max(254),
  questions: z.array(z.string().max(60)).min(1).max(2_000).nullable().default(null),
});

function isOpen({ state }: Questionnaire): boolean {
  return state === 'draft' || state === 'sent';
}

/** The questions that a link is for: a colleague asked for some sees and answers only those. */
function questionsFor(questionnaire: Questionnaire, link: PortalLink): Question[] {
  const all = questionsOf(questionnaire.form);
  return link.questions === null ? all : all.filter(({ id }) => link.questions?.includes(id));
}

const actorOf = (link: PortalLink): Actor => ({
  kind: 'client',
  id: link.id,
  name: `vendor contact ${link.email}`,
  roles: [],
});

/** What people without an account may do, each with the session that their link gave them. */
export function createPortal(context: VendorsContext) {
  const { db, clock, envelope } = context;

  const open = async (session: unknown) => {
    const link = await findSession(db, session, clock.now());
    // A link to findings opens no questionnaire, whatever the page asks for.
    if (link.questionnaireId === null) throw new NotFound('This link leads to no questionnaire.');
    const questionnaire = await loadQuestionnaire(db, link.questionnaireId);
    return { link, questionnaire };
  };
  const openForChange = async (session: unknown) => {
    const opened = await open(session);
    if (!isOpen(opened.questionnaire))
      throw new StateConflict('The questionnaire is submitted; answers can not be changed.');
    return opened;
  };
  const checkQuestion = (questionnaire: Questionnaire, link: PortalLink, id: string): Question => {
    const question = questionsFor(questionnaire, link).find((one) => one.id === id);
    if (!question) throw new NotFound('There is no such question.', { question: id });
    return question;
  };

  return {
    ...createEntrance(context),

    /** The form, what is answered, what was said, and what was answered the last time. */
    async read(session: unknown) {
      const { link, questionnaire } = await open(session);
      const { form, vendorId } = questionnaire;
      const stored = await listAnswers(db, questionnaire.id);
      const answers = answersMap(stored);
      const mine = new Set(questionsFor(questionnaire, link).map(({ id }) => id));
      const submitted = (await listQuestionnaires(db, vendorId)).filter(
        (one) => one.id !== questionnaire.id && one.submittedAt !== null && one.createdAt < questionnaire.createdAt,
      );
      const earlier = closestForm(form, submitted);
      const before = earlier ? { form: earlier.form, answers: answersMap(await listAnswers(db, earlier.id)) } : null;
      const progress = progressOf(form, answers);
      const used = new Set(stored.flatMap(({ value }) => value.files));
      const files = (await listFiles(db, vendorId)).filter(({ id }) => used.has(id));
      return {
        title: questionnaire.title,
        state: questionnaire.state,
        dueAt: questionnaire.dueAt,
        email: link.email,
        language: link.language,
        isDelegate: link.questions !== null,
        sections: form.sections
          .map(({ title, questions }) => ({ title, questions: questions.filter(({ id }) => mine.has(id)) }))
          .filter(({ questions }) => questions.length > 0),
        visible: visibleQuestions(form, answers).flatMap(({ id }) => (mine.has(id) ? [id] : [])),
        answers: stored.filter(({ questionId }) => mine.has(questionId)),
        progress: { ...progress, open: progress.open.filter((id) => mine.has(id)) },
        comments: (await listComments(db, questionnaire.id)).filter(({ questionId }) => mine.has(questionId)),
        proposals: before
          ? proposeAnswers(before, form).filter(({ questionId }) => mine.has(questionId) && !answers.has(questionId))
          : [],
        files: files.map(({ id, name, bytes }) => ({ id, name, bytes })),
      };
    },

    async answer(session: unknown, questionId: string, raw: unknown) {
      const { link, questionnaire } = await openForChange(session);
      const question = checkQuestion(questionnaire, link, questionId);
      const value: AnswerValue = parseInput(answerValue, raw);
      if (!fitsQuestion(question, value))
        throw new InputInvalid('The answer is none of those that are offered.', { question: questionId });
      const known = new Set(
        (await listFiles(db, questionnaire.vendorId))
          .filter(({ purpose }) => purpose === 'attachment')
          .map(({ id }) => id),
      );
      if (value.files.some((id) => !known.has(id))) throw new NotFound('There is no such file.');
      const at = new Date(clock.now());
      await db.transaction(async (tx) => {
        const current = await lockQuestionnaire(tx, questionnaire.id);
        if (!isOpen(current)) throw new StateConflict('The questionnaire was submitted a moment ago.');
        await saveAnswer(tx, { questionnaireId: questionnaire.id, questionId, value, by: link.email, at });
      });
      const answers = answersMap(await listAnswers(db, questionnaire.id));
      const visible = visibleQuestions(questionnaire.form, answers).map(({ id }) => id);
      return { progress: progressOf(questionnaire.form, answers), visible };
    },

    /** Takes a file as evidence for answers; it is read and checked before it is kept. */
    async attach(session: unknown, upload: Upload) {
      const { link, questionnaire } = await openForChange(session);
      if (upload.bytes.byteLength > ATTACHMENT_BYTES_MAX) throw new InputInvalid('The file is larger than 10 MB.');
      const file = await readUpload(context.files, upload.name, upload.bytes);
      const place = {
        vendorId: questionnaire.vendorId,
        purpose: 'attachment' as const,
        by: link.email,
        at: clock.now(),
      };
      const { id, name, bytes } = await db.transaction((tx) => insertFile(tx, envelope, file, place));
      return { id, name, bytes };
    },

    async comment(session: unknown, questionId: string, text: string) {
      const { link, questionnaire } = await open(session);
      checkQuestion(questionnaire, link, questionId);
      const said = parseInput(z.string().trim().min(1).max(COMMENT_CHARS_MAX), text);
      const at = clock.now();
      const comment = { id: uuidv7(at), questionId, author: link.email, side: 'vendor' as const, text: said, at };
      await insertComment(db, questionnaire.id, comment);
      return comment;
    },

    /** Asks a colleague: a link of their own, for some questions or all, to their own address. */
    async delegate(session: unknown, raw: unknown): Promise<void> {
      const { link, questionnaire } = await openForChange(session);
      const { email, questions } = parseInput(delegateInput, raw);
      const mine = new Set(questionsFor(questionnaire, link).map(({ id }) => id));
      if (questions?.some((id) => !mine.has(id))) throw new NotFound('There is no such question.');
      const at = clock.now();
      const token = context.random(TOKEN_BYTES).toString('base64url');
      await db.transaction(async (tx) => {
        await lockQuestionnaire(tx, questionnaire.id);
        const count = await tx
          .tables<{ portal_links: { questionnaire_id: string } }>()
          .selectFrom('portal_links')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('questionnaire_id', '=', questionnaire.id)
          .executeTakeFirstOrThrow();
        if (count.count >= DELEGATES_MAX) throw new StateConflict('Too many people were asked already.');
        const [id, { expiresAt, language }] = [uuidv7(at), link];
        const asked = questions ?? link.questions;
        await insertLink(tx, envelope, {
          id,
          token,
          questionnaireId: questionnaire.id,
          email,
          language,
          questions: asked,
          invitedBy: link.email,
          expiresAt,
          at,
        });
        const mail = MAIL_TEXTS[language].invite(
          questionnaire.title,
          link.email,
          addressOf(context.publicUrl, token),
          dayOf(expiresAt),
        );
        await queueMail(tx, { envelope, at }, { to: email, ...mail });
        const target = { type: 'questionnaire', id: questionnaire.id, name: questionnaire.title };
        await appendAudit(tx, {
          actor: actorOf(link),
          action: 'questionnaire.delegated',
          target,
          detail: { to: email, questions: asked?.length ?? null },
          at,
        });
      });
    },

    async submit(session: unknown): Promise<void> {
      const { link, questionnaire } = await openForChange(session);
      if (link.questions !== null) throw new StateConflict('Whoever asked you submits the questionnaire.');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const current = await lockQuestionnaire(tx, questionnaire.id);
        if (!isOpen(current)) throw new StateConflict('The questionnaire is submitted already.');
        const { open: missing } = progressOf(current.form, answersMap(await listAnswers(tx, current.id)));
        if (missing.length > 0) {
          throw new StateConflict(`Not answered yet: ${missing.slice(0, 20).join(', ')}.`, {
            questions: missing.slice(0, 200),
          });
        }
        await updateQuestionnaire(tx, current.id, { state: 'submitted', submittedAt: new Date(at), at: new Date(at) });
        const target = { type: 'questionnaire', id: current.id, name: current.title };
        await appendAudit(tx, { actor: actorOf(link), action: 'questionnaire.submitted', target, at });
      });
    },
  };
}
