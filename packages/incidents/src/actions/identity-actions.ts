import { z } from 'zod';
import { ActionFailed } from '../errors.ts';
import { type ActContext, type AnyAction, defineAction, type DryContext, type Verdict } from './action.ts';
import type { PersonView } from './ports.ts';

const input = z.strictObject({ person: z.string().min(1), reason: z.string().default('') });

async function load({ reads }: Pick<DryContext, 'reads'>, ref: string): Promise<PersonView> {
  const found = await reads.person(ref);
  if (!found) throw new ActionFailed(`There is no person ${ref}.`);
  return found;
}

/** What `prepare` counted before the first try. */
function counted({ prepared }: Pick<ActContext, 'prepared'>, what: string): string {
  return typeof prepared[what] === 'number' ? String(prepared[what]) : '0';
}

const endSessions = defineAction({
  name: 'identity.end-sessions',
  title: "End a person's sessions",
  effect: 'change',
  approval: 'required',
  input,
  outputs: ['sessions'],
  repeatable: true,
  async prepare(given, context) {
    return { sessions: (await load(context, given.person)).sessions };
  },
  async run(given, context) {
    const person = await load(context, given.person);
    if (person.sessions > 0) await context.acts.endSessions(person.id, `${given.reason} ${context.mark}`.trim());
    return { sessions: counted(context, 'sessions') };
  },
  async verify(given, context): Promise<Verdict> {
    const person = await load(context, given.person);
    if (person.sessions > 0) return { state: 'absent' };
    const sessions = counted(context, 'sessions');
    return { state: 'done', result: { sessions }, proof: { sessionsLeft: 0 } };
  },
  async simulate(given, context) {
    const { name, sessions } = await load(context, given.person);
    return { would: `end ${sessions} sessions of ${name}`, result: { sessions: String(sessions) } };
  },
});

const resetFactors = defineAction({
  name: 'identity.reset-factors',
  title: "Delete a person's factors",
  effect: 'change',
  approval: 'required',
  input,
  outputs: ['factors'],
  repeatable: true,
  async prepare(given, context) {
    return { factors: (await load(context, given.person)).factors };
  },
  async run(given, context) {
    const person = await load(context, given.person);
    if (person.factors > 0) await context.acts.resetFactors(person.id, `${given.reason} ${context.mark}`.trim());
    return { factors: counted(context, 'factors') };
  },
  async verify(given, context): Promise<Verdict> {
    if ((await load(context, given.person)).factors > 0) return { state: 'absent' };
    const factors = counted(context, 'factors');
    return { state: 'done', result: { factors }, proof: { factorsLeft: 0 } };
  },
  async simulate(given, context) {
    const { name, factors } = await load(context, given.person);
    return {
      would: `delete ${factors} factors of ${name}, who then needs a recovery link`,
      result: { factors: String(factors) },
    };
  },
});

const disable = defineAction({
  name: 'identity.disable',
  title: 'Disable a person: sessions, API tokens and links end',
  effect: 'change',
  approval: 'required',
  input,
  outputs: ['status'],
  repeatable: true,
  async prepare(given, context) {
    return { before: (await load(context, given.person)).status };
  },
  async run(given, context) {
    const person = await load(context, given.person);
    if (person.status !== 'disabled')
      await context.acts.disablePerson(person.id, `${given.reason} ${context.mark}`.trim());
    return { status: 'disabled', id: person.id, before: context.prepared['before'] };
  },
  async verify(given, context): Promise<Verdict> {
    const person = await load(context, given.person);
    if (person.status !== 'disabled') return { state: 'absent' };
    const result = { status: 'disabled', id: person.id, before: context.prepared['before'] };
    return { state: 'done', result, proof: { status: person.status, sessionsLeft: person.sessions } };
  },
  async simulate(given, context) {
    const { name } = await load(context, given.person);
    return { would: `disable ${name} and end everything they hold`, result: { status: 'disabled' } };
  },
  compensation: {
    title: 'Enable again',
    async run(_given, result, context) {
      const { id, before } = z.object({ id: z.string(), before: z.unknown() }).parse(result);
      const now = await load(context, id);
      if (before !== 'disabled' && now.status === 'disabled') await context.acts.enablePerson(id, context.mark);
      return { status: (await load(context, id)).status };
    },
  },
});

export const identityActions: readonly AnyAction[] = [endSessions, resetFactors, disable];
