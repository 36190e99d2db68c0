import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ContentInvalid } from '../errors.ts';
import type { ImportedQuestionnaire } from './imported.ts';

export const LANGUAGES = ['en', 'de', 'fr', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];
const QUESTIONS_MAX = 2_000;

const text = z.string().min(1).max(8_000);
const translation = z.strictObject({ text, help: text.optional() });
const id = z.string().min(1).max(60);

const question = z.strictObject({
  id,
  text,
  help: text.optional(),
  why: text.optional(),
  kind: z.enum(['yes-no-na', 'choice', 'choices', 'text', 'date']),
  options: z.array(z.string().min(1).max(200)).max(50).default([]),
  isRequired: z.boolean().default(true),
  wantsNote: z.boolean().default(false),
  /** Asks who owns the control and what the customer must do, as a CAIQ does. */
  asksOwnership: z.boolean().default(false),
  /** Shown only when another question, further up, has one of these answers. */
  showIf: z.strictObject({ question: id, is: z.array(z.string().max(200)).min(1).max(20) }).optional(),
  translations: z.partialRecord(z.enum(LANGUAGES), translation).default({}),
});
export type Question = z.output<typeof question>;

export const formSchema = z
  .strictObject({
    id: z.string().max(60).default('own'),
    version: z.string().max(40).default('1'),
    title: z.string().min(1).max(200),
    licence: z.string().max(40).optional(),
    source: z.string().max(300).optional(),
    sections: z
      .array(z.strictObject({ title: z.string().min(1).max(300), questions: z.array(question).min(1) }))
      .min(1)
      .max(200),
  })
  .superRefine((form, context) => {
    const seen = new Map<string, Question>();
    for (const one of form.sections.flatMap(({ questions }) => questions)) {
      const problem = (message: string): void => context.addIssue({ code: 'custom', message: `${one.id}: ${message}` });
      if (seen.has(one.id)) problem('two questions have this id');
      if (one.kind.startsWith('choice') && one.options.length < 2) problem('a choice needs two options');
      // Only questions further up: so a form can not run in circles.
      if (one.showIf && !seen.has(one.showIf.question)) problem(`${one.showIf.question} does not stand above it`);
      seen.set(one.id, one);
    }
    if (seen.size > QUESTIONS_MAX)
      context.addIssue({ code: 'custom', message: `more than ${QUESTIONS_MAX} questions` });
  });
export type Form = z.output<typeof formSchema>;

export const answerValue = z.strictObject({
  answer: z
    .union([z.string().max(4_000), z.array(z.string().max(200)).max(50)])
    .nullable()
    .default(null),
  note: z.string().max(32_767).default(''),
  ownership: z.string().max(200).default(''),
  responsibilities: z.string().max(32_767).default(''),
  files: z.array(z.uuid()).max(20).default([]),
});
export type AnswerValue = z.output<typeof answerValue>;
export type Answers = ReadonlyMap<string, AnswerValue>;

export function questionsOf(form: Form): Question[] {
  return form.sections.flatMap(({ questions }) => questions);
}

const isAnswered = (value: AnswerValue | undefined): boolean =>
  value !== undefined && value.answer !== null && value.answer.length > 0;

/** The questions that these answers leave to be asked: a hidden question hides what hangs on it. */
export function visibleQuestions(form: Form, answers: Answers): Question[] {
  const visible = new Set<string>();
  return questionsOf(form).filter(({ id: questionId, showIf }) => {
    if (showIf) {
      const value = answers.get(showIf.question)?.answer ?? null;
      const given = value === null ? [] : typeof value === 'string' ? [value] : value;
      if (!visible.has(showIf.question) || !given.some((one) => showIf.is.includes(one))) return false;
    }
    visible.add(questionId);
    return true;
  });
}

export interface Progress {
  readonly asked: number;
  readonly answered: number;
  /** Ids of required questions without an answer. */
  readonly open: readonly string[];
}

export function progressOf(form: Form, answers: Answers): Progress {
  const visible = visibleQuestions(form, answers);
  return {
    asked: visible.length,
    answered: visible.filter(({ id: one }) => isAnswered(answers.get(one))).length,
    open: visible.filter((one) => one.isRequired && !isAnswered(answers.get(one.id))).map(({ id: one }) => one),
  };
}

/** Whether an answer is one of those that the question offers. */
export function fitsQuestion({ kind, options }: Question, { answer }: AnswerValue): boolean {
  if (answer === null || answer.length === 0) return true;
  if (kind === 'choices') return Array.isArray(answer) && answer.every((one) => options.includes(one));
  if (Array.isArray(answer)) return false;
  if (kind === 'yes-no-na') return ['Yes', 'No', 'NA'].includes(answer);
  if (kind === 'choice') return options.includes(answer);
  return kind === 'date' ? /^\d{4}-\d{2}-\d{2}$/.test(answer) : true;
}

/** A form of what was read from a workbook, by domain. */
export function formOfImport(title: string, imported: ImportedQuestionnaire): Form {
  const sections = Map.groupBy(
    imported.questions,
    ({ domain, controlId, id: one }) => domain ?? controlId ?? one.split('-')[0] ?? '',
  );
  return formSchema.parse({
    id: imported.format,
    version: imported.version ?? '1',
    title,
    sections: [...sections].map(([section, questions]) => ({
      title: section === '' ? 'Questions' : section,
      questions: questions.map(({ id: one, question: asked }) => ({
        id: one,
        text: asked || one,
        kind: 'yes-no-na' as const,
        wantsNote: true,
        asksOwnership: imported.columns.ownership !== undefined,
      })),
    })),
  });
}

/** The answers that a workbook came with. */
export function answersOfImport(imported: ImportedQuestionnaire): Map<string, AnswerValue> {
  const answered = imported.questions.filter(
    ({ answer, implementation, ownership, responsibilities }) =>
      answer ?? implementation ?? ownership ?? responsibilities,
  );
  return new Map(
    answered.map(({ id: one, answer, answerText, implementation, ownership, responsibilities }) => [
      one,
      answerValue.parse({
        answer,
        note: [answer === null ? answerText : null, implementation].filter((part) => part !== null).join('\n'),
        ownership: ownership?.slice(0, 200) ?? '',
        responsibilities: responsibilities ?? '',
      }),
    ]),
  );
}

/** Built-in forms of a content folder. */
export function loadForms(contentFolder: string): Form[] {
  const folder = join(contentFolder, 'questionnaires');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const result = formSchema.safeParse(parse(readFileSync(join(folder, file), 'utf8')));
      if (result.success) return result.data;
      throw new ContentInvalid(`${file}: ${z.prettifyError(result.error)}`, { file });
    });
}
