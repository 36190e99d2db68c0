import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, systemClock } from '@cordon/kernel';
import type { Command } from 'commander';
import { print, printJson } from './output.ts';

interface EvaluateOptions {
  readonly people: number;
  readonly days: number;
  readonly learning: number;
  readonly attacks: number;
  readonly seed: number;
  readonly from: string;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;

/** Measures behaviour on an organisation that is made up, in a lake of its own; needs no running Cordon. */
export function addEvaluateBehaviour(detect: Command): void {
  detect
    .command('evaluate-behaviour')
    .description('measure what behaviour finds in a made-up organisation, with all rules off')
    .option('--people <number>', 'how many', Number, 100)
    .option('--days <number>', 'of events', Number, 49)
    .option('--learning <number>', 'days before anything is judged', Number, 28)
    .option('--attacks <number>', 'spliced in under people of the organisation', Number, 20)
    .option('--seed <number>', 'another seed is another organisation', Number, 1)
    .option('--from <date>', 'first day, YYYY-MM-DD', '2026-08-03')
    .option('--json', 'as JSON')
    .action(async (options: EvaluateOptions) => {
      const { openLake, spawnLake } = await import('@cordon/lake');
      const { evaluateOnLake } = await import('../behaviour/evaluate-run.ts');
      const logger = createLogger({ role: 'evaluate', level: 'error' });
      const dataDir = await mkdtemp(join(tmpdir(), 'cordon-evaluate-'));
      const password = randomBytes(16).toString('hex');
      const engine = await spawnLake({ dataDir, port: 0, password, logger });
      const lake = await openLake({ url: engine.url, password, logger, clock: systemClock });
      try {
        const from = Math.floor(Date.parse(`${options.from}T00:00:00Z`) / DAY_MS) * DAY_MS;
        const { people, days, attacks, seed, learning: learningDays } = options;
        const result = await evaluateOnLake(lake, { people, days, attacks, seed, learningDays, from });
        if (options.json) return printJson(result);
        const percent = (share: number): string => `${Math.round(share * 100)}%`;
        print(
          `${result.events} events of ${people} people, ${result.judgedDays} days judged, ${result.attacks} attacks`,
        );
        for (const [k, share] of Object.entries(result.recallAt))
          print(`among the ${k} riskiest of a day: ${percent(share)}`);
        print(`raised an alert: ${percent(result.recallByAlert)}`);
        print(`alerts per 1,000 people and day without an attack: ${result.falseAlertsPer1000.toFixed(2)}`);
        for (const [kind, one] of Object.entries(result.byKind)) print(`  ${kind}: ${one.alerted} of ${one.attacks}`);
        return undefined;
      } finally {
        await lake.close();
        await engine.stop();
        await rm(dataDir, { recursive: true, force: true });
      }
    });
}
