import { join } from 'node:path';
import { loadScenarios, rehearse, scenarioNamed, showMs } from '@cordon/drills';
import { loadParsers, loadRules } from '@cordon/detection';
import type { Command } from 'commander';
import { SCENARIOS_FOLDER } from '../roles/drill-parts.ts';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

const WATCH_MS = 500;
const DAY_MS = 86_400_000;
const ROLE = /^(\w+)=(.+?)(?:<([0-9a-f-]{36})>)?$/;
const ROLES = ['commander', 'technical', 'communications', 'legal', 'liaison', 'scribe'] as const;

interface Taking {
  readonly role: (typeof ROLES)[number];
  readonly name: string;
  readonly personId?: string;
}

/** `--who commander=Ada<id of the person>`, as often as there are participants. */
function collectWho(text: string, before: readonly Taking[]): Taking[] {
  const match = ROLE.exec(text);
  const role = ROLES.find((one) => one === match?.[1]);
  if (!match || !role) throw new UsageWrong(`--who is role=Name or role=Name<person id>; roles: ${ROLES.join(', ')}.`);
  const personId = match[3];
  return [...before, { role, name: (match[2] ?? '').trim(), ...(personId !== undefined && { personId }) }];
}

export function addDrillCommands(program: Command, context: CliContext): void {
  const drill = program.command('drill').description('exercises: live fire and tabletop, measured');
  addReading(drill, context);
  addRunning(drill, context);
  addSchedules(drill, context);
  addTargets(drill, context);
}

function addReading(drill: Command, context: CliContext): void {
  drill
    .command('scenarios')
    .description('what can be played')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/drill-scenarios'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [one.name, one.modes.join(', '), one.incident?.when ?? '', one.title]);
      return printTable(['scenario', 'modes', 'replays', 'title'], rows);
    });
  drill
    .command('rehearse <scenario>')
    .description('play its records through parsers and rules on this machine; needs no running Cordon')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const scenario = scenarioNamed(await loadScenarios(SCENARIOS_FOLDER), name);
      const content = join(SCENARIOS_FOLDER, '..');
      const parsers = await loadParsers(join(content, 'parsers'));
      const { rules, correlations } = await loadRules(join(content, 'detections'), { alias: parsers.alias });
      const found = rehearse(scenario, { parsers, rules, correlations }, Date.now());
      if (options.json) printJson(found);
      else {
        note(`${found.events} events; fired: ${found.fired.join(', ') || 'nothing'}`);
        for (const rule of found.silent) print(`silent   ${rule}`);
        for (const rule of found.unknown) print(`unknown  ${rule}`);
        for (const { file, place, reason } of found.failed) print(`unread   ${file} ${place}: ${reason}`);
      }
      if (found.silent.length + found.unknown.length + found.failed.length > 0) process.exitCode = 1;
    });
  drill
    .command('list')
    .description('drills, the newest first')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { items } = take(await api.GET('/api/v1/drills'));
      if (options.json) return printJson(items);
      const rows = items.map((one) => [
        String(one.number),
        one.status,
        one.mode,
        one.score ? `${one.score.met}/${one.score.total}` : '',
        day(one.startedAt),
        one.title,
      ]);
      return printTable(['drill', 'status', 'mode', 'met', 'began', 'scenario'], rows);
    });
  drill
    .command('show <drill>')
    .description('checks and measures of a drill, by number or id')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const { api } = await context.connect();
      const found = take(await api.GET('/api/v1/drills/{id}', { params: { path: { id } } }));
      if (options.json) printJson(found);
      else showResult(found);
    });
  drill
    .command('report <drill>')
    .description('the report, as Markdown')
    .action(async (id: string) => {
      const { api } = await context.connect();
      print(take(await api.GET('/api/v1/drills/{id}/report', { params: { path: { id } } })).markdown);
    });
  drill
    .command('trend')
    .description('by quarter')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { api } = await context.connect();
      const { quarters } = take(await api.GET('/api/v1/drills/trend'));
      if (options.json) return printJson(quarters);
      const rows = quarters.map((one) => [
        one.quarter,
        String(one.drills),
        one.metShare === null ? '' : `${Math.round(one.metShare * 100)}%`,
        ...[one.detectMs, one.decideMs, one.containMs, one.notifyMs].map((value) =>
          value === null ? '' : showMs(value),
        ),
        String(one.missing),
      ]);
      return printTable(['quarter', 'drills', 'met', 'detect', 'decide', 'contain', 'notify', 'missing'], rows);
    });
}

function addRunning(drill: Command, context: CliContext): void {
  drill
    .command('run <scenario>')
    .description('plan and begin a drill')
    .option('--tabletop', 'at the table; without it a live fire')
    .option('--decide <who>', 'person or drill: who approves playbooks of a live fire', 'person')
    .option('--target <app>', 'an app of the estate that is marked as a test system; without it an emulator of its own')
    .option('--clock', 'injects of a tabletop come by the clock')
    .option('--who <role=name>', 'who takes part; repeat it', collectWho, [])
    .option('--plan', 'only plan it')
    .option('--wait', 'until it is over')
    .option('--json', 'as JSON')
    .action(
      async (
        scenario: string,
        options: {
          tabletop?: boolean;
          decide: string;
          target?: string;
          clock?: boolean;
          who: Taking[];
          plan?: boolean;
          wait?: boolean;
          json?: boolean;
        },
      ) => {
        const { decide } = options;
        if (decide !== 'person' && decide !== 'drill') throw new UsageWrong('--decide is person or drill.');
        const { api } = await context.connect();
        const body = {
          scenario,
          mode: options.tabletop ? ('tabletop' as const) : ('live-fire' as const),
          target: options.target ?? null,
          decide: decide === 'drill' ? ('drill' as const) : ('person' as const),
          pace: options.clock ? ('clock' as const) : ('facilitator' as const),
          participants: options.who,
        };
        const made = take(await api.POST('/api/v1/drills', { body }));
        const params = { path: { id: made.id } };
        if (!options.plan) take(await api.POST('/api/v1/drills/{id}/start', { params }));
        note(`drill ${made.number}: ${made.title}`);
        if (!options.wait) return print(made.id);
        for (;;) {
          const now = take(await api.GET('/api/v1/drills/{id}', { params }));
          if (now.endedAt !== null) {
            if (options.json) printJson(now);
            else showResult(now);
            if (now.status !== 'ended' || now.score?.met !== now.score?.total) process.exitCode = 1;
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
        }
      },
    );
  drill
    .command('start <id>')
    .description('begin a drill that was planned')
    .action(async (id: string) => {
      const { api } = await context.connect();
      note(take(await api.POST('/api/v1/drills/{id}/start', { params: { path: { id } } })).status);
    });
  for (const verb of ['abort', 'finish'] as const) {
    drill
      .command(`${verb} <id>`)
      .description(
        verb === 'abort' ? 'stop it at once; it does not count' : 'end it before its time, scored as it stands',
      )
      .requiredOption('--reason <text>', 'why')
      .action(async (id: string, options: { reason: string }) => {
        const { api } = await context.connect();
        const path = verb === 'abort' ? '/api/v1/drills/{id}/abort' : '/api/v1/drills/{id}/finish';
        note(take(await api.POST(path, { params: { path: { id } }, body: { reason: options.reason } })).status);
      });
  }
}

function addSchedules(drill: Command, context: CliContext): void {
  const schedule = drill.command('schedule').description('drills that come again');
  schedule.command('list').action(async () => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/drill-schedules'));
    const rows = items.map((one) => [day(one.nextAt), String(one.everyDays), one.mode, one.scenario, one.name, one.id]);
    printTable(['next', 'days', 'mode', 'scenario', 'name', 'id'], rows);
  });
  schedule
    .command('add <name> <scenario>')
    .description('each quarter unless told otherwise')
    .option('--tabletop', 'at the table; without it a live fire')
    .option('--every <days>', 'days between two', '91')
    .option('--in <days>', 'days until the first', '7')
    .option('--target <app>', 'a marked app to play against')
    .option('--channel <name>', 'the channel of incidents that is reminded')
    .option('--starts-itself', 'a live fire begins by itself; without it it is planned')
    .option('--who <role=name>', 'who takes part; repeat it', collectWho, [])
    .action(
      async (
        name: string,
        scenario: string,
        options: {
          tabletop?: boolean;
          every: string;
          in: string;
          target?: string;
          channel?: string;
          startsItself?: boolean;
          who: Taking[];
        },
      ) => {
        const { api } = await context.connect();
        const body = {
          name,
          scenario,
          mode: options.tabletop ? ('tabletop' as const) : ('live-fire' as const),
          everyDays: Number(options.every),
          nextAt: Date.now() + Number(options.in) * DAY_MS,
          target: options.target ?? null,
          channel: options.channel ?? null,
          startsItself: options.startsItself === true,
          participants: options.who,
        };
        print(take(await api.POST('/api/v1/drill-schedules', { body })).id);
      },
    );
  schedule.command('remove <id>').action(async (id: string) => {
    const { api } = await context.connect();
    take(await api.DELETE('/api/v1/drill-schedules/{id}', { params: { path: { id } } }));
  });
}

function addTargets(drill: Command, context: CliContext): void {
  const target = drill.command('target').description('apps of the estate that drills may be played against');
  target.command('list').action(async () => {
    const { api } = await context.connect();
    const { items } = take(await api.GET('/api/v1/drill-targets'));
    printTable(
      ['app', 'operation', 'path', 'marked by', 'why'],
      items.map((one) => [one.app, one.operation, one.path, one.madeBy, one.reason]),
    );
  });
  target
    .command('add <app>')
    .description('mark an app as an emulator or a test system; never one that holds real data')
    .requiredOption('--operation <id>', 'the one read that the drill’s integration is granted')
    .requiredOption('--path <path>', 'a path of it that answers')
    .requiredOption('--reason <text>', 'why a stolen token does no harm there')
    .action(async (app: string, options: { operation: string; path: string; reason: string }) => {
      const { api } = await context.connect();
      note(`marked ${take(await api.PUT('/api/v1/drill-targets', { body: { app, ...options } })).app}`);
    });
  target.command('remove <app>').action(async (app: string) => {
    const { api } = await context.connect();
    take(await api.DELETE('/api/v1/drill-targets/{app}', { params: { path: { app } } }));
  });
}

interface Shown {
  readonly number: number;
  readonly title: string;
  readonly status: string;
  readonly error: string | null;
  readonly score: {
    readonly checks: readonly {
      title: string;
      met: boolean;
      tookMs: number | null;
      limitMs: number | null;
      evidence: string;
    }[];
    readonly missing: readonly string[];
    readonly measures: Readonly<Record<string, number | null>>;
  } | null;
}

function showResult(found: Shown): void {
  note(`Drill ${found.number}, ${found.title}: ${found.status}${found.error === null ? '' : ` (${found.error})`}`);
  if (!found.score) return;
  const rows = found.score.checks.map((one) => [
    one.met ? 'met' : 'NOT MET',
    one.tookMs === null ? '' : showMs(one.tookMs),
    one.limitMs === null ? '' : showMs(one.limitMs),
    one.title,
    one.evidence,
  ]);
  printTable(['result', 'took', 'limit', 'expected', 'evidence'], rows);
  const { measures, missing } = found.score;
  const named: readonly (readonly [string, string])[] = [
    ['detectMs', 'first use to alert'],
    ['proposeMs', 'alert to proposed playbook'],
    ['decideMs', 'proposal to decision'],
    ['containMs', 'decision to the last gateway that refuses'],
    ['refusedMs', 'decision to the first refusal that the attacker saw at the last address'],
    ['notifyMs', 'first use to the first notice'],
  ];
  for (const [key, text] of named) {
    const value = measures[key];
    if (value !== null && value !== undefined) note(`${text}: ${showMs(value)}`);
  }
  if (missing.length > 0) note(`missing: ${missing.join('; ')}`);
}
