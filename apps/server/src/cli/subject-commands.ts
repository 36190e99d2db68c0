import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { SUBJECT_KINDS } from '@cordon/governance';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const WATCH_MS = 500;
const UNDER_WAY: readonly string[] = ['searching', 'approved', 'acting'];

interface OpenOptions {
  readonly reference: string;
  readonly received?: string;
  readonly approvalAbove: string;
}

/** `cordon data subject …`: what a person may ask for under Articles 15 to 17 and 20 GDPR. */
export function addSubjectCommands(data: Command, context: CliContext): void {
  const subject = data.command('subject').description('requests of data subjects: find, hand over, erase');
  addLists(subject, context);
  addOpening(subject, context);
  addRunning(subject, context);
  addTargets(subject, context);
}

/** Waits until the worker has done what was asked, and says where it stands. */
async function follow(context: CliContext, id: string): Promise<void> {
  const { api } = await context.connect();
  for (;;) {
    const request = take(await api.GET('/api/v1/subject-requests/{id}', { params: { path: { id } } }));
    if (!UNDER_WAY.includes(request.status)) {
      const counts = Object.entries(request.counts).map(([state, count]) => `${count} ${state}`);
      note([request.status, ...counts].join(', '));
      for (const { app, what, because } of request.gaps) note(`not read: ${app} ${what}: ${because}`);
      if (request.error !== null) note(request.error);
      return;
    }
    await setTimeout(WATCH_MS);
  }
}

function addLists(subject: Command, context: CliContext): void {
  subject
    .command('list')
    .description('what is due soonest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/subject-requests'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        one.id,
        one.kind,
        one.reference,
        one.masked.map((each) => each.text).join(' '),
        one.status,
        day(one.dueAt),
      ]);
      return printTable(['id', 'wish', 'reference', 'person', 'state', 'due'], rows);
    });
  subject
    .command('show <request>')
    .description('what was found, what becomes of it, and what was seen afterwards')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const path = { id };
      const items = [];
      for (let after = -1; ;) {
        const query = { after };
        const page = take(await api.GET('/api/v1/subject-requests/{id}/targets', { params: { path, query } })).items;
        items.push(...page);
        const last = page.at(-1);
        if (!last) break;
        after = last.seq;
      }
      if (options.json) {
        return printJson({
          request: take(await api.GET('/api/v1/subject-requests/{id}', { params: { path } })),
          items,
        });
      }
      const rows = items.map((one) => [
        String(one.seq),
        one.app,
        one.object,
        one.recordId,
        one.way ?? '',
        one.status,
        one.error ?? one.reason ?? '',
      ]);
      return printTable(['no', 'app', 'data set', 'record', 'way', 'state', 'because'], rows);
    });
  subject
    .command('bundle <request>')
    .description('what the tools held of the person, as JSON; the download is in the audit trail')
    .action(async (id: string) => {
      const { api } = await context.connect();
      printJson(take(await api.POST('/api/v1/subject-requests/{id}/bundle', { params: { path: { id } }, body: {} })));
    });
}

function addOpening(subject: Command, context: CliContext): void {
  subject
    .command('open <kind>')
    .description('export, erase or anonymise; the identifiers come on standard input, one a line')
    .requiredOption('--reference <text>', 'how your register names the request')
    .option('--received <date>', 'the day it came in, YYYY-MM-DD; today when left out')
    .option('--approval-above <records>', 'another person approves above', '10')
    .action(async (given: string, options: OpenOptions) => {
      const kind = SUBJECT_KINDS.find((one) => one === given);
      if (!kind) throw new UsageWrong(`A request is one of: ${SUBJECT_KINDS.join(', ')}.`);
      const lines = (await text(process.stdin)).split('\n').map((line) => line.trim());
      const identifiers = lines.filter((line) => line !== '').map((value) => ({ value }));
      const receivedAt = options.received === undefined ? undefined : Date.parse(`${options.received}T00:00:00Z`);
      if (Number.isNaN(receivedAt)) throw new UsageWrong('--received is a day: YYYY-MM-DD.');
      const { api } = await context.connect();
      const approvalAbove = Number(options.approvalAbove);
      const body = { kind, reference: options.reference, identifiers, approvalAbove, perMinuteMax: 60 };
      const made = take(
        await api.POST('/api/v1/subject-requests', {
          body: { ...body, ...(receivedAt === undefined ? {} : { receivedAt }) },
        }),
      );
      note(`due ${day(made.dueAt)}`);
      print(made.id);
    });
  subject
    .command('identity <request>')
    .description('how it was made sure who asks; without it nothing runs')
    .requiredOption('--how <text>', 'kept as evidence')
    .action(async (id: string, { how }: { how: string }) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/subject-requests/{id}/identity', { params: { path: { id } }, body: { how } }));
      note('Kept.');
    });
  for (const [verb, description] of [
    ['extend', 'two further months, once; the person is told why'],
    ['refuse', 'end a request without doing it'],
  ] as const) {
    subject
      .command(`${verb} <request>`)
      .description(description)
      .requiredOption('--reason <text>', 'kept as evidence')
      .action(async (id: string, { reason }: { reason: string }) => {
        const { api } = await context.connect();
        const call = { params: { path: { id } }, body: { reason } };
        const answer =
          verb === 'extend'
            ? await api.POST('/api/v1/subject-requests/{id}/extend', call)
            : await api.POST('/api/v1/subject-requests/{id}/refuse', call);
        const request = take(answer);
        note(`${request.status}, due ${day(request.dueAt)}`);
      });
  }
}

function addRunning(subject: Command, context: CliContext): void {
  subject
    .command('search <request>')
    .description('the dry run: read the tools, change nothing')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/subject-requests/{id}/search', { params: { path: { id } }, body: {} }));
      await follow(context, id);
    });
  subject
    .command('run <request>')
    .description('do what the search found; above the limit it waits for another person')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/subject-requests/{id}/run', { params: { path: { id } }, body: {} }));
      await follow(context, id);
    });
  subject
    .command('approve <request>')
    .description('let a run that another person asked for begin')
    .action(async (id: string) => {
      const { api } = await context.connect();
      take(await api.POST('/api/v1/subject-requests/{id}/approve', { params: { path: { id } }, body: {} }));
      await follow(context, id);
    });
}

function addTargets(subject: Command, context: CliContext): void {
  subject
    .command('spare <request> <no>')
    .description('leave a record that was found as it is')
    .requiredOption('--reason <text>', 'kept as evidence')
    .action(async (id: string, seq: string, { reason }: { reason: string }) => {
      const { api } = await context.connect();
      const params = { path: { id, seq: Number(seq) } };
      take(await api.POST('/api/v1/subject-requests/{id}/targets/{seq}/spare', { params, body: { reason } }));
      note('Spared.');
    });
  subject
    .command('done <request> <no>')
    .description('say that you did what no program could; it is read again where a connector can')
    .requiredOption('--how <text>', 'kept as evidence')
    .action(async (id: string, seq: string, { how }: { how: string }) => {
      const { api } = await context.connect();
      const params = { path: { id, seq: Number(seq) } };
      take(await api.POST('/api/v1/subject-requests/{id}/targets/{seq}/done', { params, body: { how } }));
      await follow(context, id);
    });
}
