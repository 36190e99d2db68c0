import { createAuthority, createLogger, issueServerCertificate } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Estate, startEstate } from './estate.ts';
import { renderTable } from './render-table.ts';
import { runScenarios } from './run-scenarios.ts';
import type { ScenarioResult } from './scenario.ts';
import { type StandInCordon, startStandInCordon } from './stand-in/stand-in-cordon.ts';

let estate: Estate;
const lines: string[] = [];

async function playWith(asleep: boolean): Promise<{ results: ScenarioResult[]; cordon: StandInCordon }> {
  const now = Date.now();
  const authority = await createAuthority('Cordon demo tests', now);
  const tls = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  const cordon = await startStandInCordon(estate, { tls, asleep });
  const progress = (line: string): void => void lines.push(line);
  try {
    return { results: await runScenarios({ cordon, estate, ca: authority.cert, progress, recordMsMax: 500 }), cordon };
  } finally {
    await cordon.close();
  }
}

beforeAll(async () => {
  estate = await startEstate({ logger: createLogger({ role: 'demo', level: 'error' }), seed: 'scenarios' });
}, 30_000);

afterAll(() => estate.stop());

describe('with a gateway that does its work', () => {
  let results: ScenarioResult[];
  let cordon: StandInCordon;

  const resultOf = (name: string): ScenarioResult => {
    const found = results.find((result) => result.name === name);
    if (!found) throw new Error(`no result for ${name}`);
    return found;
  };

  beforeAll(async () => {
    ({ results, cordon } = await playWith(false));
  }, 30_000);

  test.each([
    ['Ordinary sync', 'allowed'],
    ['Card and key in a message', 'redacted'],
    ['Operation never granted', 'refused'],
    ['Flood', 'limited'],
    ['Body against the schema', 'refused'],
    ['Stolen token', 'cut off'],
    ['Every call recorded', 'allowed'],
    ['What the vendors saw', 'allowed'],
  ])('%s comes out as %s', (name, outcome) => {
    expect(resultOf(name)).toMatchObject({ outcome, ok: true });
  });

  test('the sync reads five pages, and no answer names GitHub itself', () => {
    expect(resultOf('Ordinary sync').measured).toMatchObject({ pages: 5, issues: 130, leaks: 0 });
  });

  test('the flood is served as far as its limit', () => {
    expect(resultOf('Flood').measured).toEqual({ calls: 60, served: 20, limited: 40 });
  });

  test('reasons are the gateway’s own words', () => {
    expect(resultOf('Operation never granted').reason).toContain('drive.permissions.create (policy default-deny)');
    expect(resultOf('Body against the schema').reason).toContain('title must');
    expect(resultOf('Stolen token').reason).toContain('is cut off');
  });

  test('the descriptions agree with what SDKs send, but for the one call that is meant to break', () => {
    const requests = cordon.disagreements.filter((each) => each.place === 'request');
    expect(requests.map((each) => `${each.call} ${each.problem.split(' ')[0]}`)).toEqual([
      'POST /repos/meridian/storefront/issues /title',
    ]);
  });

  test('the descriptions agree with what the vendors answer', () => {
    expect(cordon.disagreements.filter((each) => each.place === 'response')).toEqual([]);
  });

  test('the table fits the terminal and counts', () => {
    const table = renderTable(results, { columns: 100 });
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(table).toContain('8 as expected, 0 not');
  });
});

describe('with a gateway that lets everything through', () => {
  let results: ScenarioResult[];

  beforeAll(async () => {
    ({ results } = await playWith(true));
  }, 60_000);

  test.each([
    'Ordinary sync',
    'Card and key in a message',
    'Operation never granted',
    'Flood',
    'Body against the schema',
    'Stolen token',
    'Every call recorded',
    'What the vendors saw',
  ])('%s does not come out as it should', (name) => {
    expect(results.find((result) => result.name === name)).toMatchObject({ ok: false });
  });

  test('a token that followed Link to GitHub itself is noticed there', () => {
    expect(results.at(-1)?.reason).toContain('github cordon_token_seen');
  });
});
