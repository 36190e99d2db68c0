import { z } from 'zod';
import type { HttpRequest } from '../cacao/http-command.ts';
import { ActionFailed } from '../errors.ts';
import { type ActContext, type AnyAction, defineAction, type Verdict } from './action.ts';

const BODY_CHARS_MAX = 65_536;
const HOURS_MAX = 24 * 90;

const search = defineAction({
  name: 'lake.search',
  title: 'Search the lake',
  effect: 'read',
  approval: 'none',
  input: z.strictObject({
    query: z.string().min(1).max(4_000),
    hours: z.coerce.number().int().min(1).max(HOURS_MAX).default(24),
  }),
  outputs: ['count', 'people', 'apps', 'integrations', 'addresses'],
  repeatable: true,
  async run(input, { reads }) {
    const found = await reads.search(input.query, input.hours);
    return {
      count: String(found.count),
      people: found.people,
      apps: found.apps,
      integrations: found.integrations,
      addresses: found.addresses,
    };
  },
  verify: () => Promise.resolve({ state: 'absent' }),
  async simulate(input, { reads }) {
    const found = await reads.search(input.query, input.hours);
    const { count, people, apps, integrations, addresses } = found;
    const would = `search ${input.query} over ${input.hours} h: ${count} events now`;
    return { would, result: { count: String(count), people, apps, integrations, addresses } };
  },
});

const integrationsOf = defineAction({
  name: 'estate.integrations-of',
  title: 'Find the integrations that reach an app',
  effect: 'read',
  approval: 'none',
  input: z.strictObject({ app: z.string().min(1) }),
  outputs: ['integrations', 'names', 'count'],
  repeatable: true,
  async run(input, { reads }) {
    const list = await reads.integrationsOf(input.app);
    return { integrations: list.map(({ id }) => id), names: list.map(({ name }) => name), count: String(list.length) };
  },
  verify: () => Promise.resolve({ state: 'absent' }),
  async simulate(input, { reads }) {
    const list = await reads.integrationsOf(input.app);
    const result = {
      integrations: list.map(({ id }) => id),
      names: list.map(({ name }) => name),
      count: String(list.length),
    };
    return { would: `find ${list.length} integrations of ${input.app}`, result };
  },
});

const connector = defineAction({
  name: 'connector.act',
  title: "Act in an app through its connector's admin API",
  effect: 'change',
  approval: 'required',
  input: z.object({ app: z.string().min(1), action: z.string().min(1) }).catchall(z.string()),
  outputs: [],
  repeatable: false,
  run: ({ app, action, ...input }, { acts, key }) => acts.connector.act(app, action, input, key),
  async verify({ app, action }, { reads, key }): Promise<Verdict> {
    const state = await reads.connectorAct(app, action, key);
    if (state === null) return { state: 'unknown' };
    return state === 'done' ? { state, result: {}, proof: { connector: app, key } } : { state };
  },
  simulate: ({ app, action }) => Promise.resolve({ would: `${action} in ${app} through its connector`, result: {} }),
  compensation: {
    title: 'Undo in the app, where its connector can',
    async run({ app, action, ...input }, _result, { acts, key, undoes = key }) {
      await acts.connector.undo(app, action, input, { key, undoes });
      return {};
    },
  },
});

function backupAction(act: 'snapshot' | 'restore', title: string): AnyAction {
  return defineAction({
    name: `backup.${act}`,
    title,
    effect: 'change',
    approval: act === 'restore' ? 'required' : 'none',
    input: z.object({ app: z.string().min(1) }).catchall(z.string()),
    outputs: [],
    repeatable: false,
    run: (input, { acts, key }) => acts.backup(act, input, key),
    async verify(_input, { reads, key }): Promise<Verdict> {
      const state = await reads.backupAct(key);
      if (state === null) return { state: 'unknown' };
      return state === 'done' ? { state, result: {}, proof: { backup: key } } : { state };
    },
    simulate: ({ app }) => Promise.resolve({ would: `${act} of ${app}`, result: {} }),
  });
}

/** What an `http-api` command is, once its variables are filled in. */
export interface HttpInput {
  readonly request: HttpRequest;
  readonly verify: HttpRequest | null;
  readonly undo: HttpRequest | null;
}
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

async function send(request: HttpRequest, { acts, key, signal }: ActContext, what: string) {
  const answer = await acts.http({ ...request, key: `${key}${what}` }, signal);
  return { http_status: String(answer.status), http_body: answer.body.slice(0, BODY_CHARS_MAX) };
}

async function sendAndCheck(request: HttpRequest, context: ActContext, what: string) {
  const answer = await send(request, context, what);
  const status = Number(answer.http_status);
  if (status < 200 || status > 299) throw new ActionFailed(`${request.method} ${request.url} answered ${status}.`);
  return answer;
}

/** One HTTP call through the guarded way out. GET, PUT and DELETE may be repeated; others need a `verify` command. */
export function httpAction(input: HttpInput): AnyAction {
  const { method, url } = input.request;
  const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  return defineAction<unknown>({
    name: 'http-api',
    title: `${method} ${url}`,
    effect: isRead ? 'read' : 'change',
    approval: isRead ? 'none' : 'required',
    input: z.unknown(),
    outputs: ['http_status', 'http_body'],
    repeatable: IDEMPOTENT.has(method),
    run: async (_given, context) => sendAndCheck(input.request, context, ''),
    async verify(_given, context): Promise<Verdict> {
      if (!input.verify) return { state: 'unknown' };
      const answer = await send(input.verify, context, '-verify');
      const status = Number(answer.http_status);
      if (status === 404 || status === 410) return { state: 'absent' };
      if (status < 200 || status > 299) return { state: 'unknown' };
      return {
        state: 'done',
        result: answer,
        proof: { verified: `${input.verify.method} ${input.verify.url}`, status },
      };
    },
    simulate: () => Promise.resolve({ would: `${method} ${url}`, result: { http_status: '200', http_body: '' } }),
    ...(input.undo && {
      compensation: {
        title: `${input.undo.method} ${input.undo.url}`,
        run: async (_given: unknown, _result: unknown, context: ActContext) =>
          input.undo ? sendAndCheck(input.undo, context, '-undo') : {},
      },
    }),
  });
}

export const outsideActions: readonly AnyAction[] = [
  search,
  integrationsOf,
  connector,
  backupAction('snapshot', 'Take a snapshot of an app'),
  backupAction('restore', 'Restore from a snapshot'),
];
