import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const DAY_MS = 86_400_000;
const PEOPLE_MAX = 200;

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

function readScope(text: string) {
  const [kind = '', value = ''] = text.split(/:(.*)/s);
  if (kind === 'all') return { kind } as const;
  if (kind === 'risk' && /^\d{1,3}$/.test(value)) return { kind, value: Number(value) } as const;
  if ((kind === 'app' || kind === 'owner') && value !== '') return { kind, value } as const;
  throw new UsageWrong('A scope is all, app:NAME, owner:ID or risk:1-100.');
}

/** Campaigns in which those who answer for access say whether it stays. */
export function addReviewCommands(program: Command, context: CliContext): void {
  const review = program
    .command('review')
    .description('access reviews: who may go on using what, with granted against used');

  review
    .command('list')
    .option('--json', 'as JSON')
    .description('newest first')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/reviews'));
      if (options.json) return printJson(items);
      const rows = items.map(({ id, name, state, dueAt, counts }) => [
        id,
        name,
        state,
        dayOf(dueAt),
        String(counts.open),
        String(counts.kept),
        String(counts.done + counts.nothing),
        String(counts.waiting + counts.task + counts.failed),
      ]);
      return printTable(['review', 'name', 'state', 'due', 'open', 'kept', 'taken away', 'under way'], rows);
    });

  review
    .command('start <name>')
    .description('gather items with their evidence, and tell the reviewers')
    .requiredOption('--scope <scope>', 'all, app:NAME, owner:ID or risk:1-100')
    .requiredOption('--fallback <email>', 'who reviews what has no owner')
    .option('--days <days>', 'until it is due', '14')
    .option('--notice-days <days>', 'told so long before anything is taken away', '3')
    .option('--undecided <what>', 'revoke or keep', 'revoke')
    .action(
      async (
        name: string,
        options: { scope: string; fallback: string; days: string; noticeDays: string; undecided: string },
      ) => {
        const onUndecided = (['revoke', 'keep'] as const).find((one) => one === options.undecided);
        if (!onUndecided) throw new UsageWrong('Undecided items are revoked or kept: --undecided revoke, or keep.');
        const { api } = await context.connect();
        const { people } = take(await api.GET('/api/v1/people', { params: { query: { limit: PEOPLE_MAX } } }));
        const person = people.find(({ email }) => email.toLowerCase() === options.fallback.toLowerCase());
        if (!person) throw new UsageWrong(`Nobody has the address ${options.fallback}.`);
        const body = {
          name,
          scope: readScope(options.scope),
          dueAt: Date.now() + Number(options.days) * DAY_MS,
          noticeMs: Number(options.noticeDays) * DAY_MS,
          onUndecided,
          fallback: { id: person.id, name: person.name, email: person.email },
        };
        const made = take(await api.POST('/api/v1/reviews', { body }));
        note(`${made.counts.open} items are under review until ${dayOf(made.dueAt)}.`);
        print(made.id);
      },
    );

  review
    .command('show <review>')
    .description('every item with what was seen, decided and done')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const shown = take(await api.GET('/api/v1/reviews/{id}', { params: { path: { id } } }));
      if (options.json) return printJson(shown);
      const rows = shown.items.map((item) => [
        item.id,
        item.name,
        String(item.evidence.risk),
        item.evidence.why.join('; '),
        item.reviewer.name,
        item.decision ?? '',
        item.state,
        item.detail ?? '',
      ]);
      return printTable(['item', 'access', 'risk', 'why', 'reviewer', 'decision', 'state', 'evidence'], rows);
    });

  review
    .command('decide <review> <items...>')
    .description('keep or revoke; what is revoked is taken away at once')
    .requiredOption('--decision <decision>', 'keep or revoke')
    .requiredOption('--reason <text>', 'why; kept as evidence')
    .action(async (id: string, items: string[], options: { decision: string; reason: string }) => {
      const decision = (['keep', 'revoke'] as const).find((one) => one === options.decision);
      if (!decision) throw new UsageWrong('Decide keep or revoke.');
      const { api } = await context.connect();
      const body = { items, decision, reason: options.reason };
      const { counts } = take(await api.POST('/api/v1/reviews/{id}/decisions', { params: { path: { id } }, body }));
      note(`${counts.open} items are still open.`);
    });

  review
    .command('report <review>')
    .description('the whole review as CSV, for an auditor')
    .action(async (id: string) => {
      const { api } = await context.connect();
      print(take(await api.GET('/api/v1/reviews/{id}/report', { params: { path: { id } }, parseAs: 'text' })));
    });
}
