import {
  caseDuties,
  CONTACT_KINDS,
  contactInput,
  dutyRecordInput,
  type DutyState,
  dutyWaiverInput,
  FACTS,
  factsInput,
  fieldsOf,
  isReachable,
  listContacts,
  loadCase,
  MOMENTS,
  noticeInput,
  outreachInput,
  receiveNotice,
  render,
} from '@cordon/incidents';
import type { Clock, Database } from '@cordon/kernel';
import { recordCaseNotice } from '@cordon/vendors';
import { z } from 'zod';
import type { CommunicationParts } from '../roles/communication-parts.ts';
import { actorOf, RequestInvalid } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface CommunicationRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly communication: CommunicationParts['communication'];
}

const tags = ['communication'];
const NOTICE_BYTES_MAX = 2 * 1024 * 1024;
const caseParameter = z.object({ id: z.union([z.uuid(), z.string().regex(/^\d{1,9}$/)]) });
const placeParameter = caseParameter.extend({ duty: z.string().min(1).max(200), stage: z.string().min(1).max(80) });
const done = z.object({ done: z.literal(true) });

const factsBody = z.object({
  facts: z.record(z.string(), z.boolean()),
  people: z.number().nullable(),
  moments: z.record(z.string(), z.number()),
});
const dutyBody = z.object({
  duty: z.string(),
  stage: z.string(),
  title: z.string(),
  dutyTitle: z.string(),
  recipient: z.string(),
  law: z.string(),
  url: z.string(),
  checked: z.string().nullable(),
  status: z.enum(['in-force', 'pending', 'contract']),
  owedBy: z.enum(['ours', 'theirs']),
  applies: z.boolean().nullable(),
  open: z.array(z.string()),
  isLimit: z.boolean(),
  template: z.string().nullable(),
  dueAt: z.number().nullable(),
  waitsFor: z.string().nullable(),
  sent: z.object({ at: z.number(), by: z.string(), detail: z.record(z.string(), z.unknown()) }).nullable(),
  waived: z.object({ by: z.string(), reason: z.string() }).nullable(),
});
const contactBody = z.object({
  id: z.string(),
  kind: z.enum(CONTACT_KINDS),
  name: z.string(),
  about: z.string(),
  steps: z.array(z.object({ channel: z.string(), to: z.array(z.string()), who: z.string(), waitMinutes: z.number() })),
  note: z.string(),
  noticeHours: z.number().nullable(),
  testDays: z.number(),
  testedAt: z.number().nullable(),
  confirmedAt: z.number().nullable(),
  confirmedBy: z.string().nullable(),
  updatedAt: z.number(),
  isReachable: z.boolean(),
});

const shown = (state: DutyState) => ({
  ...state,
  open: [...state.open],
  sent: state.sent && { ...state.sent, detail: { ...state.sent.detail } },
});

/** Duties of cases, contacts, and notices of vendors. */
export function addCommunicationRoutes(server: ApiServer, deps: CommunicationRouteDeps): void {
  addDutyRoutes(server, deps);
  addContactRoutes(server, deps);
  server.post(
    '/api/v1/notices',
    {
      config: { permission: 'case.write' },
      bodyLimit: NOTICE_BYTES_MAX,
      schema: {
        tags,
        body: z.unknown(),
        response: {
          201: z.object({
            caseId: z.string(),
            isNew: z.boolean(),
            vendor: z.object({ ref: z.string(), name: z.string(), isKnown: z.boolean() }),
            links: z.array(z.object({ kind: z.string(), ref: z.string(), name: z.string() })),
          }),
        },
      },
    },
    async (request, reply) => {
      const parsed = noticeInput.safeParse(request.body);
      if (!parsed.success) throw new RequestInvalid(z.prettifyError(parsed.error));
      const { caseId, isNew, radius } = await receiveNotice(deps.communication.notices, actorOf(request), parsed.data);
      if (isNew && radius.vendor.isKnown) {
        const { title, severity, occurredAt } = await loadCase(deps.db, caseId);
        const { ref: vendorId, name: named } = radius.vendor;
        await recordCaseNotice(deps.db, { vendorId, named, caseId, title, severity, occurredAt, at: deps.clock.now() });
      }
      return reply.status(201).send({ caseId, isNew, vendor: radius.vendor, links: [...radius.links] });
    },
  );
}

function addDutyRoutes(server: ApiServer, { clock, communication }: CommunicationRouteDeps): void {
  const { duties, dutyCommands, templates } = communication;
  server.get(
    '/api/v1/duties',
    {
      config: { permission: 'case.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(
              z.object({
                id: z.string(),
                title: z.string(),
                summary: z.string(),
                law: z.string(),
                url: z.string(),
                checked: z.string().nullable(),
                status: z.string(),
                from: z.string().nullable(),
                trigger: z.string(),
                stages: z.array(z.object({ id: z.string(), title: z.string(), recipient: z.string() })),
              }),
            ),
            questions: z.record(z.string(), z.string()),
            moments: z.record(z.string(), z.string()),
            organisation: factsBody,
          }),
        },
      },
    },
    async () => ({
      items: duties.book.duties.map(({ id, title, summary, source, checked, status, from, trigger, stages }) => ({
        id,
        title,
        summary,
        law: `${source.law}, ${source.article}`,
        url: source.url,
        checked,
        status,
        from,
        trigger,
        stages: stages.map((stage) => ({ id: stage.id, title: stage.title, recipient: stage.recipient })),
      })),
      questions: { ...FACTS },
      moments: { ...MOMENTS },
      organisation: await dutyCommands.organisation(),
    }),
  );
  server.put(
    '/api/v1/duties/organisation',
    { config: { permission: 'playbook.write' }, schema: { tags, body: factsInput, response: { 200: factsBody } } },
    async (request) => dutyCommands.setOrganisation(actorOf(request), request.body),
  );
  server.get(
    '/api/v1/cases/:id/duties',
    {
      config: { permission: 'case.read' },
      schema: {
        tags,
        params: caseParameter,
        response: { 200: z.object({ items: z.array(dutyBody), facts: factsBody, now: z.number() }) },
      },
    },
    async (request) => {
      const found = await caseDuties(duties, request.params.id);
      return { items: found.duties.map(shown), facts: found.facts, now: clock.now() };
    },
  );
  server.patch(
    '/api/v1/cases/:id/facts',
    {
      config: { permission: 'case.write' },
      schema: { tags, params: caseParameter, body: factsInput, response: { 200: done } },
    },
    async (request) => {
      await dutyCommands.setFacts(actorOf(request), request.params.id, request.body);
      return { done: true as const };
    },
  );
  server.get(
    '/api/v1/cases/:id/duties/:duty/:stage/draft',
    {
      config: { permission: 'case.read' },
      schema: {
        tags,
        params: placeParameter,
        response: { 200: z.object({ subject: z.string(), text: z.string() }) },
      },
    },
    async (request) => {
      const { id, duty, stage } = request.params;
      const { of, links, facts, duties: all } = await caseDuties(duties, id);
      const state = all.find((one) => one.duty === duty && one.stage === stage);
      const template = templates.find((one) => one.id === (state?.template ?? ''));
      if (!state || !template) throw new RequestInvalid('This duty has no template.');
      const about = { title: state.dutyTitle, law: state.law, dueAt: state.dueAt };
      return render(
        template,
        fieldsOf({ of, links, facts, now: clock.now(), duty: about, recipient: state.recipient }),
      );
    },
  );
  server.post(
    '/api/v1/cases/:id/duties/:duty/:stage/sent',
    {
      config: { permission: 'case.write' },
      schema: { tags, params: placeParameter, body: dutyRecordInput, response: { 200: done } },
    },
    async (request) => {
      const { id, duty, stage } = request.params;
      await dutyCommands.sent(actorOf(request), id, { duty, stage }, request.body);
      return { done: true as const };
    },
  );
  server.post(
    '/api/v1/cases/:id/duties/:duty/:stage/waive',
    {
      config: { permission: 'case.write' },
      schema: { tags, params: placeParameter, body: dutyWaiverInput, response: { 200: done } },
    },
    async (request) => {
      const { id, duty, stage } = request.params;
      await dutyCommands.waive(actorOf(request), id, { duty, stage }, request.body.reason);
      return { done: true as const };
    },
  );
}

function addContactRoutes(server: ApiServer, { db, clock, communication }: CommunicationRouteDeps): void {
  const commands = communication.contactCommands;
  const config = { permission: 'case.write' } as const;
  const withState = (one: Awaited<ReturnType<typeof listContacts>>[number]) => ({
    ...one,
    steps: one.steps.map((step) => ({ ...step })),
    isReachable: isReachable(one, clock.now()),
  });
  server.get(
    '/api/v1/contacts',
    {
      config: { permission: 'case.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(contactBody) }) } },
    },
    async () => ({ items: (await listContacts(db)).map(withState) }),
  );
  server.post(
    '/api/v1/contacts',
    { config, schema: { tags, body: contactInput, response: { 201: contactBody } } },
    async (request, reply) => reply.status(201).send(withState(await commands.put(actorOf(request), request.body))),
  );
  server.put(
    '/api/v1/contacts/:id',
    { config, schema: { tags, params: idParameter, body: contactInput, response: { 200: contactBody } } },
    async (request) => withState(await commands.put(actorOf(request), request.body, request.params.id)),
  );
  server.delete(
    '/api/v1/contacts/:id',
    { config, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await commands.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/contacts/:id/tests',
    { config, schema: { tags, params: idParameter, response: { 202: z.object({ outreach: z.string() }) } } },
    async (request, reply) =>
      reply.status(202).send({ outreach: await commands.test(actorOf(request), request.params.id) }),
  );
  server.post(
    '/api/v1/cases/:id/contacts/:contact/messages',
    {
      config,
      schema: {
        tags,
        params: idParameter.extend({ contact: z.uuid() }),
        body: outreachInput,
        response: { 202: z.object({ outreach: z.string() }) },
      },
    },
    async (request, reply) => {
      const { id, contact } = request.params;
      return reply.status(202).send({ outreach: await commands.reach(actorOf(request), contact, id, request.body) });
    },
  );
  server.post(
    '/api/v1/contact-confirmations',
    {
      // Whoever holds the word in the link was reached; they have no account.
      config: { public: true },
      schema: {
        tags,
        body: z.strictObject({ token: z.string().min(20).max(100), by: z.string().trim().min(2).max(200) }),
        response: { 200: z.object({ contact: z.string() }) },
      },
    },
    async (request) => commands.confirm(request.body.token, request.body.by),
  );
}
