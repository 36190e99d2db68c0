import type { Database } from '@cordon/kernel';
import {
  answersMap,
  answerValue,
  formSchema,
  listAnswers,
  listComments,
  listLinks,
  listQuestionnaires,
  loadQuestionnaire,
  mappingInput,
  outlineWorkbook,
  progressOf,
  readWorkbookFile,
  sendInput,
  visibleQuestions,
} from '@cordon/vendors';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';
import {
  proposalBody,
  questionnaireBody,
  questionnaireRow,
  UPLOAD_BODY_BYTES_MAX,
  uploadBody,
  uploadOf,
} from './vendor-bodies.ts';
import { sendFile, type VendorRouteDeps } from './vendor-routes.ts';

const tags = ['questionnaires'];
const read = { permission: 'vendor.read' } as const;
const write = { permission: 'vendor.write' } as const;
const bodyLimit = UPLOAD_BODY_BYTES_MAX;
const questionParameter = idParameter.extend({ questionId: z.string().min(1).max(60) });
const problems = z.array(z.object({ row: z.int(), problem: z.string() }));
const cell = z.object({ column: z.int(), text: z.string() });
const outlineBody = z.object({
  sheet: z.string(),
  isHidden: z.boolean(),
  rows: z.int(),
  columns: z.int(),
  proposal: z.object({ headerRow: z.int(), columns: z.record(z.string(), z.int()) }).nullable(),
  sample: z.array(z.object({ row: z.int(), cells: z.array(cell) })),
});

async function describe(db: Database, id: string) {
  const [questionnaire, answers, comments, links] = await Promise.all([
    loadQuestionnaire(db, id),
    listAnswers(db, id),
    listComments(db, id),
    listLinks(db, id),
  ]);
  const { origin, ...rest } = questionnaire;
  const given = answersMap(answers);
  const progress = progressOf(rest.form, given);
  return {
    ...rest,
    hasWorkbook: origin !== null,
    answers,
    comments,
    links: links.map((link) => ({ ...link, questions: link.questions === null ? null : [...link.questions] })),
    progress: { ...progress, open: [...progress.open] },
    visible: visibleQuestions(rest.form, given).map((question) => question.id),
  };
}

function addMaking(server: ApiServer, { db, vendors, vendorFiles }: VendorRouteDeps): void {
  const { questionnaires } = vendors;
  server.get(
    '/api/v1/questionnaire-forms',
    {
      config: read,
      schema: {
        tags,
        response: {
          200: z.object({ items: z.array(z.object({ id: z.string(), title: z.string(), version: z.string() })) }),
        },
      },
    },
    async () => ({ items: vendors.forms.map(({ id, title, version }) => ({ id, title, version })) }),
  );
  server.get(
    '/api/v1/vendors/:id/questionnaires',
    {
      config: read,
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(questionnaireRow) }) } },
    },
    async (request) => ({ items: await listQuestionnaires(db, request.params.id) }),
  );
  server.post(
    '/api/v1/vendors/:id/questionnaires',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.union([z.strictObject({ formId: z.string().max(60) }), z.strictObject({ form: formSchema })]),
        response: { 201: questionnaireBody },
      },
    },
    async (request, reply) => {
      const { body, params } = request;
      const actor = actorOf(request);
      const made =
        'formId' in body
          ? await questionnaires.createBuiltIn(actor, params.id, body.formId)
          : await questionnaires.createOwn(actor, params.id, body.form);
      return reply.status(201).send(await describe(db, made.id));
    },
  );
  server.post(
    '/api/v1/vendors/:id/questionnaires/workbook',
    {
      config: write,
      bodyLimit,
      schema: {
        tags,
        params: idParameter,
        body: uploadBody.extend({ title: z.string().max(200).optional(), mapping: mappingInput.optional() }),
        response: { 201: questionnaireBody.extend({ problems }) },
      },
    },
    async (request, reply) => {
      const { title, mapping, ...upload } = request.body;
      const options = { ...(title === undefined ? {} : { title }), ...(mapping === undefined ? {} : { mapping }) };
      const made = await questionnaires.createFromWorkbook(
        actorOf(request),
        request.params.id,
        uploadOf(upload),
        options,
      );
      return reply.status(201).send({ ...(await describe(db, made.questionnaire.id)), problems: [...made.problems] });
    },
  );
  server.post(
    '/api/v1/questionnaire-outlines',
    {
      config: write,
      bodyLimit,
      schema: { tags, body: uploadBody, response: { 200: z.object({ items: z.array(outlineBody) }) } },
    },
    async (request) => {
      const outlines = outlineWorkbook(await readWorkbookFile(vendorFiles, uploadOf(request.body).bytes));
      return {
        items: outlines.map((one) => ({
          ...one,
          proposal: one.proposal ? { headerRow: one.proposal.headerRow, columns: { ...one.proposal.columns } } : null,
          sample: one.sample.map(({ row, cells }) => ({ row, cells: [...cells] })),
        })),
      };
    },
  );
}

function addWork(server: ApiServer, { db, vendors }: VendorRouteDeps): void {
  const { questionnaires } = vendors;
  server.get(
    '/api/v1/questionnaires/:id',
    { config: read, schema: { tags, params: idParameter, response: { 200: questionnaireBody } } },
    async (request) => describe(db, request.params.id),
  );
  server.post(
    '/api/v1/questionnaires/:id/links',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: sendInput,
        response: { 201: z.object({ linkId: z.string(), url: z.string(), expiresAt: z.int() }) },
      },
    },
    async (request, reply) =>
      reply.status(201).send(await questionnaires.send(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/questionnaires/:id/links/:linkId/revoke',
    {
      config: write,
      schema: { tags, params: idParameter.extend({ linkId: z.uuid() }), response: { 200: questionnaireBody } },
    },
    async (request) => {
      await questionnaires.revokeLink(actorOf(request), request.params.id, request.params.linkId);
      return describe(db, request.params.id);
    },
  );
  server.put(
    '/api/v1/questionnaires/:id/answers/:questionId',
    {
      config: write,
      schema: { tags, params: questionParameter, body: answerValue, response: { 200: questionnaireBody } },
    },
    async (request) => {
      const { id, questionId } = request.params;
      await questionnaires.answer(actorOf(request), id, questionId, request.body);
      return describe(db, id);
    },
  );
  server.post(
    '/api/v1/questionnaires/:id/workbook',
    {
      config: write,
      bodyLimit,
      schema: {
        tags,
        params: idParameter,
        body: uploadBody,
        response: { 200: z.object({ filled: z.int(), unknown: z.array(z.string()) }) },
      },
    },
    async (request) => questionnaires.fillFromWorkbook(actorOf(request), request.params.id, uploadOf(request.body)),
  );
  server.get(
    '/api/v1/questionnaires/:id/export',
    { config: read, schema: { tags, params: idParameter } },
    async (request, reply) => {
      const { name, bytes } = await questionnaires.export(actorOf(request), request.params.id);
      return sendFile(reply, name, bytes);
    },
  );
}

function addReview(server: ApiServer, { db, vendors }: VendorRouteDeps): void {
  const { questionnaires } = vendors;
  server.post(
    '/api/v1/questionnaires/:id/reviews/:questionId',
    {
      config: write,
      schema: {
        tags,
        params: questionParameter,
        body: z.strictObject({ verdict: z.enum(['accepted', 'follow_up']), comment: z.string().max(4_000).optional() }),
        response: { 200: questionnaireBody },
      },
    },
    async (request) => {
      const { id, questionId } = request.params;
      await questionnaires.review(actorOf(request), id, questionId, request.body);
      return describe(db, id);
    },
  );
  server.post(
    '/api/v1/questionnaires/:id/finish-review',
    { config: write, schema: { tags, params: idParameter, response: { 200: questionnaireBody } } },
    async (request) => {
      await questionnaires.finishReview(actorOf(request), request.params.id);
      return describe(db, request.params.id);
    },
  );
  const passage = z.object({
    fileId: z.string(),
    fileName: z.string(),
    page: z.int(),
    text: z.string(),
    score: z.number(),
    words: z.array(z.string()),
  });
  server.get(
    '/api/v1/questionnaires/:id/suggestions/:questionId',
    {
      config: read,
      schema: { tags, params: questionParameter, response: { 200: z.object({ items: z.array(passage) }) } },
    },
    async (request) => {
      const found = await questionnaires.suggest(actorOf(request), request.params.id, request.params.questionId);
      return { items: found.map((one) => ({ ...one, words: [...one.words] })) };
    },
  );
  const change = z.object({
    id: z.string(),
    question: z.string(),
    change: z.enum(['same', 'changed', 'new', 'gone']),
    isRephrased: z.boolean(),
    before: answerValue.nullable(),
    after: answerValue.nullable(),
  });
  server.get(
    '/api/v1/questionnaires/:id/comparison',
    {
      config: read,
      schema: {
        tags,
        params: idParameter,
        querystring: z.object({ with: z.uuid().optional() }),
        response: { 200: z.object({ withId: z.string(), changes: z.array(change), proposals: z.array(proposalBody) }) },
      },
    },
    async (request) => questionnaires.compare(actorOf(request), request.params.id, request.query.with),
  );
}

export function addQuestionnaireRoutes(server: ApiServer, deps: VendorRouteDeps): void {
  addMaking(server, deps);
  addWork(server, deps);
  addReview(server, deps);
}
