import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ActionFailed } from '../errors.ts';
import { type ActContext, type AnyAction, defineAction, type DryContext, type Verdict } from './action.ts';
import type { IntegrationView } from './ports.ts';

const INTEGRATIONS_MAX = 500;
const REACH_WAIT_MS = 250;

/** One integration, or a list variable's JSON list of them; by id or name. */
export const integrationList = z.string().transform((text, context) => {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return trimmed === '' ? [] : [trimmed];
  const parsed = z.array(z.string().min(1)).max(INTEGRATIONS_MAX).safeParse(readJson(trimmed));
  if (parsed.success) return parsed.data;
  context.addIssue('expected an integration or a JSON list of them');
  return z.NEVER;
});
const reason = z.string().default('');

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Reads = Pick<DryContext, 'reads'>;

async function load({ reads }: Reads, ref: string): Promise<IntegrationView> {
  const found = await reads.integration(ref);
  if (!found) throw new ActionFailed(`There is no integration ${ref}.`);
  return found;
}

const loadAll = (context: Reads, refs: readonly string[]) => Promise.all(refs.map(async (ref) => load(context, ref)));
const names = (list: readonly IntegrationView[]): string => list.map(({ name }) => name).join(', ') || 'nothing';

const endInput = z.strictObject({ integration: integrationList, reason });

function endAction(name: string, status: 'revoked' | 'suspended', title: string): AnyAction {
  const isDone = (one: IntegrationView): boolean => one.status === status || one.status === 'revoked';
  const outcome = (list: readonly IntegrationView[], runId: string) => ({
    integrations: list.map(({ id, name: called, statusReason }) => ({
      id,
      name: called,
      // What was cut off before isn't ours to restore.
      changed: statusReason?.includes(runId) ?? false,
    })),
    count: String(list.length),
  });
  return defineAction({
    name,
    title,
    effect: 'change',
    approval: 'required',
    input: endInput,
    outputs: ['count', 'integrations'],
    repeatable: true,
    async run(input, context) {
      for (const one of await loadAll(context, input.integration)) {
        if (!isDone(one)) await context.acts.endIntegration(one.id, status, `${input.reason} ${context.mark}`.trim());
      }
      return outcome(await loadAll(context, input.integration), context.runId);
    },
    async verify(input, context): Promise<Verdict> {
      const list = await loadAll(context, input.integration);
      if (!list.every(isDone)) return { state: 'absent' };
      const proof = { statuses: list.map((one) => ({ name: one.name, status: one.status, reason: one.statusReason })) };
      return { state: 'done', result: outcome(list, context.runId), proof };
    },
    async simulate(input, context) {
      const open = (await loadAll(context, input.integration)).filter((one) => !isDone(one));
      return {
        would: `end every token of ${names(open)} and refuse it at every gateway`,
        result: { count: String(open.length) },
      };
    },
    compensation: {
      title: 'Restore',
      async run(_input, result, context) {
        const parsed = z.array(z.object({ id: z.string(), changed: z.boolean() })).parse(result['integrations']);
        for (const { id } of parsed.filter(({ changed }) => changed)) {
          const now = await load(context, id);
          if (now.status !== 'active') await context.acts.restoreIntegration(id, `Undone. ${context.mark}`);
        }
        return { restored: parsed.filter(({ changed }) => changed).map(({ id }) => id) };
      },
    },
  });
}

const restore = defineAction({
  name: 'gateway.restore',
  title: 'Restore an integration',
  effect: 'change',
  approval: 'required',
  input: endInput,
  outputs: ['count'],
  repeatable: true,
  async run(input, context) {
    const list = await loadAll(context, input.integration);
    for (const one of list) {
      if (one.status !== 'active')
        await context.acts.restoreIntegration(one.id, `${input.reason} ${context.mark}`.trim());
    }
    return { count: String(list.length) };
  },
  async verify(input, context): Promise<Verdict> {
    const list = await loadAll(context, input.integration);
    if (!list.every(({ status }) => status === 'active')) return { state: 'absent' };
    return { state: 'done', result: { count: String(list.length) }, proof: { active: list.map(({ name }) => name) } };
  },
  async simulate(input, context) {
    const list = await loadAll(context, input.integration);
    return { would: `let ${names(list)} obtain tokens again`, result: { count: String(list.length) } };
  },
});

/** The same for the same integration and run: what undo and verification look for. */
function ruleName(runId: string, what: string, integrationId: string): string {
  return `playbook-${what}-${createHash('sha256').update(`${runId} ${integrationId}`).digest('hex').slice(0, 16)}`;
}

/** Puts a rule per integration, and takes it away to undo. */
function ruleAction<Input extends { integration: string[]; reason: string }>(given: {
  readonly name: string;
  readonly title: string;
  readonly what: string;
  readonly kind: 'policy' | 'limit';
  readonly input: z.ZodType<Input>;
  readonly would: (input: Input, list: string) => string;
  readonly put: (input: Input, one: IntegrationView, rule: string, context: ActContext) => Promise<void>;
}): AnyAction {
  const missing = async (input: Input, context: ActContext) => {
    const list = await loadAll(context, input.integration);
    const found = await Promise.all(
      list.map(async (one) => context.reads.rule(given.kind, ruleName(context.runId, given.what, one.id))),
    );
    return { list, absent: list.filter((_, index) => found[index] === null) };
  };
  const resultOf = (list: readonly IntegrationView[], runId: string) => ({
    count: String(list.length),
    rules: list.map(({ id }) => ruleName(runId, given.what, id)),
  });
  return defineAction<Input>({
    name: given.name,
    title: given.title,
    effect: 'change',
    approval: 'required',
    input: given.input,
    outputs: ['count', 'rules'],
    repeatable: true,
    async run(input, context) {
      const { list, absent } = await missing(input, context);
      for (const one of absent) await given.put(input, one, ruleName(context.runId, given.what, one.id), context);
      return resultOf(list, context.runId);
    },
    async verify(input, context) {
      const { list, absent } = await missing(input, context);
      if (absent.length > 0) return { state: 'absent' };
      const result = resultOf(list, context.runId);
      return { state: 'done', result, proof: { rules: result.rules } };
    },
    async simulate(input, context) {
      const list = await loadAll(context, input.integration);
      return { would: given.would(input, names(list)), result: { count: String(list.length) } };
    },
    compensation: {
      title: 'Take the rule away',
      async run(_input, result, context) {
        const rules = z.array(z.string()).parse(result['rules']);
        for (const rule of rules) {
          if (await context.reads.rule(given.kind, rule)) await context.acts.removeRule(given.kind, rule);
        }
        return { removed: rules };
      },
    },
  });
}

const readOnly = ruleAction({
  name: 'gateway.read-only',
  title: 'Quarantine to read-only',
  what: 'read-only',
  kind: 'policy',
  input: endInput,
  would: (_input, list) => `refuse every write of ${list} at every gateway; reads go on`,
  put: (input, one, rule, { acts, mark }) =>
    acts.putPolicy(
      rule,
      `forbid (principal == Integration::"${one.id}", action == Action::"write", resource);`,
      `${input.reason} ${mark}`.trim().slice(0, 2_000),
    ),
});

const limit = ruleAction({
  name: 'gateway.limit',
  title: 'Slow an integration down',
  what: 'limit',
  kind: 'limit',
  input: z.strictObject({
    integration: integrationList,
    reason,
    count: z.coerce.number().int().min(1).max(1_000_000),
    period_ms: z.coerce.number().int().min(1_000).max(86_400_000).default(60_000),
  }),
  would: (input, list) => `let ${list} make ${input.count} calls in ${input.period_ms} ms`,
  put: (input, one, rule, { acts }) => acts.putLimit(rule, one.id, input.count, input.period_ms),
});

const stepUp = defineAction({
  name: 'gateway.step-up',
  title: 'Ask for stronger proof',
  effect: 'change',
  approval: 'required',
  input: z.strictObject({ integration: z.string().min(1), assurance: z.enum(['m1', 'm2']), reason }),
  outputs: ['before'],
  repeatable: true,
  async prepare(input, context) {
    return { before: (await load(context, input.integration)).assurance };
  },
  async run(input, context) {
    const one = await load(context, input.integration);
    if (one.assurance !== input.assurance) await context.acts.setAssurance(one.id, input.assurance, context.mark);
    return { id: one.id, before: context.prepared['before'] };
  },
  async verify(input, context): Promise<Verdict> {
    const one = await load(context, input.integration);
    if (one.assurance !== input.assurance) return { state: 'absent' };
    const result = { id: one.id, before: context.prepared['before'] };
    return { state: 'done', result, proof: { assurance: one.assurance } };
  },
  async simulate(input, context) {
    const one = await load(context, input.integration);
    return {
      would: `refuse ${one.name} unless it proves itself at ${input.assurance}`,
      result: { before: one.assurance },
    };
  },
  compensation: {
    title: 'Ask for the proof of before',
    async run(_input, result, context) {
      const { id, before } = z.object({ id: z.string(), before: z.enum(['m0', 'm1', 'm2']) }).parse(result);
      await context.acts.setAssurance(id, before, context.mark);
      return { assurance: before };
    },
  },
});

const confirm = defineAction({
  name: 'gateway.confirm-cut-off',
  title: 'Wait until every gateway refuses',
  effect: 'read',
  approval: 'none',
  input: z.strictObject({
    integration: z.string().min(1),
    wait_ms: z.coerce.number().int().min(0).max(60_000).default(10_000),
  }),
  outputs: ['reached', 'gateways', 'slowest_ms'],
  repeatable: true,
  async run(input, context) {
    const one = await load(context, input.integration);
    const waits = Math.ceil(input.wait_ms / REACH_WAIT_MS);
    for (let tries = 0; ; tries++) {
      const reach = await context.reads.reach(one.id);
      if (reach?.reachedAt || tries >= waits) {
        const delays = reach?.gateways.map(({ delayMs }) => delayMs) ?? [];
        return {
          reached: String(reach?.reachedAt != null),
          gateways: String(delays.length),
          slowest_ms: String(Math.max(0, ...delays)),
        };
      }
      await new Promise((resolve) => setTimeout(resolve, REACH_WAIT_MS));
      context.signal.throwIfAborted();
    }
  },
  verify: () => Promise.resolve({ state: 'absent' }),
  simulate: async (input) => ({
    would: `wait up to ${input.wait_ms} ms for every gateway to report that it refuses ${input.integration}`,
    result: { reached: 'true', gateways: '0', slowest_ms: '0' },
  }),
});

export const gatewayActions: readonly AnyAction[] = [
  endAction('gateway.cut-off', 'revoked', 'Cut an integration off'),
  endAction('gateway.suspend', 'suspended', 'Suspend an integration'),
  restore,
  readOnly,
  limit,
  stepUp,
  confirm,
];
