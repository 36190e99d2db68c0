import {
  type ActionTable,
  answerInput,
  decisionInput,
  listActs,
  listRuns,
  loadRun,
  missingInputs,
  type Playbook,
  type PlaybookLibrary,
  readPlaybook,
  refusals,
  type Run,
  RUN_PAGE_MAX,
  RUN_STATUSES,
  type RunCommands,
  runInput,
} from '@cordon/incidents';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { playbookBody, playbookDetail, problemBody, runBody, runDetail } from './case-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface PlaybookRouteDeps {
  readonly db: Database;
  readonly library: PlaybookLibrary;
  readonly actions: ActionTable;
  readonly playbookRuns: RunCommands;
}

const tags = ['playbooks'];
const playbookParameter = z.object({ id: z.string().regex(/^playbook--[0-9a-f-]{36}$/) });
const document = z.record(z.string(), z.unknown());
const reasonBody = z.strictObject({ reason: z.string().trim().min(3, 'say why').max(2_000) });

export const showRun = (run: Run) => ({ ...run, inputs: { ...run.inputs }, missing: missingInputs(run) });

function inputsOf({ playbook_variables = {} }: Playbook) {
  return Object.entries(playbook_variables)
    .filter(([, { external }]) => external)
    .map(([name, { type, description = '', value = null }]) => ({ name, type, description, value }));
}

async function runDetailOf(db: Database, id: string) {
  const run = await loadRun(db, id);
  const acts = await listActs(db, id);
  return {
    ...showRun(run),
    document: { ...readPlaybook(run.document) },
    variables: Object.fromEntries(
      Object.entries(run.variables).map(([name, { type, value }]) => [name, { type, value }]),
    ),
    acts: acts.map((act) => ({
      ...act,
      input: { ...act.input },
      result: act.result && { ...act.result },
      proof: act.proof && { ...act.proof },
    })),
  };
}

export function addPlaybookRoutes(server: ApiServer, deps: PlaybookRouteDeps): void {
  const { library, actions } = deps;
  server.get(
    '/api/v1/playbooks',
    {
      config: { permission: 'playbook.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(playbookBody) }) } },
    },
    async () => ({
      items: (await library.list()).map((one) => ({ ...one, types: [...one.types], triggers: [...one.triggers] })),
    }),
  );
  server.get(
    '/api/v1/playbooks/:id',
    {
      config: { permission: 'playbook.read' },
      schema: { tags, params: playbookParameter, response: { 200: playbookDetail } },
    },
    async (request) => {
      const { playbook, origin } = await library.load(request.params.id);
      return {
        origin,
        document: { ...playbook },
        problems: library.check(playbook),
        refusals: refusals(playbook, actions),
        inputs: inputsOf(playbook),
      };
    },
  );
  server.post(
    '/api/v1/playbooks/check',
    {
      config: { permission: 'playbook.read' },
      schema: { tags, body: document, response: { 200: z.object({ problems: z.array(problemBody) }) } },
    },
    async (request) => ({ problems: library.check(request.body) }),
  );
  server.put(
    '/api/v1/playbooks/:id',
    {
      config: { permission: 'playbook.write' },
      schema: { tags, params: playbookParameter, body: document, response: { 200: z.object({ id: z.string() }) } },
    },
    async (request) => {
      const { id } = await library.put(actorOf(request), { ...request.body, id: request.params.id });
      return { id };
    },
  );
  server.delete(
    '/api/v1/playbooks/:id',
    {
      config: { permission: 'playbook.write' },
      schema: { tags, params: playbookParameter, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await library.remove(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  addRunRoutes(server, deps);
}

function addRunRoutes(server: ApiServer, { db, playbookRuns: runs }: PlaybookRouteDeps): void {
  server.get(
    '/api/v1/playbook-runs',
    {
      config: { permission: 'playbook.read' },
      schema: {
        tags,
        querystring: z.object({
          caseId: z.uuid().optional(),
          playbookId: z.string().max(100).optional(),
          status: z.enum(RUN_STATUSES).optional(),
          limit: z.coerce.number().int().min(1).max(RUN_PAGE_MAX).default(50),
        }),
        response: { 200: z.object({ items: z.array(runBody) }) },
      },
    },
    async (request) => ({ items: (await listRuns(db, request.query)).map(showRun) }),
  );
  server.post(
    '/api/v1/playbook-runs',
    { config: { permission: 'playbook.run' }, schema: { tags, body: runInput, response: { 201: runBody } } },
    async (request, reply) => reply.status(201).send(showRun(await runs.start(actorOf(request), request.body))),
  );
  server.get(
    '/api/v1/playbook-runs/:id',
    { config: { permission: 'playbook.read' }, schema: { tags, params: idParameter, response: { 200: runDetail } } },
    async (request) => runDetailOf(db, request.params.id),
  );
  server.post(
    '/api/v1/playbook-runs/:id/decision',
    {
      config: { permission: 'playbook.approve' },
      schema: { tags, params: idParameter, body: decisionInput, response: { 200: runBody } },
    },
    async (request) => showRun(await runs.decide(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/playbook-runs/:id/answer',
    {
      config: { permission: 'playbook.run' },
      schema: { tags, params: idParameter, body: answerInput, response: { 200: runBody } },
    },
    async (request) => showRun(await runs.answer(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/playbook-runs/:id/cancel',
    {
      config: { permission: 'playbook.run' },
      schema: { tags, params: idParameter, body: reasonBody, response: { 200: runBody } },
    },
    async (request) => showRun(await runs.cancel(actorOf(request), request.params.id, request.body.reason)),
  );
  server.post(
    '/api/v1/playbook-runs/:id/undo',
    {
      config: { permission: 'playbook.approve' },
      schema: { tags, params: idParameter, body: reasonBody, response: { 200: runBody } },
    },
    async (request) => showRun(await runs.undo(actorOf(request), request.params.id, request.body.reason)),
  );
}
