import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadParsers, loadRules } from '@cordon/detection';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadScenarios } from './load-scenarios.ts';
import { rehearse } from './rehearse.ts';
import { readKept, type Scenario, scenarioProblems } from './scenario.ts';

/** Every scenario of the product: it parses, its records parse by our parsers, what it expects really fires. */

const CONTENT = fileURLToPath(new URL('../../../content/', import.meta.url));
const NOW = Date.UTC(2026, 10, 23, 12);
/** Detections of this level are kept, but raise no alert that a drill could find. */
const SILENT_LEVEL = 'informational';
const scenarios = await loadScenarios(join(CONTENT, 'scenarios'));
const names = [...scenarios.keys()];
let content: Parameters<typeof rehearse>[1];

const find = (name: string): Scenario => {
  const found = scenarios.get(name);
  if (!found) throw new Error(`no scenario ${name}`);
  return found;
};

beforeAll(async () => {
  const parsers = await loadParsers(join(CONTENT, 'parsers'));
  const { rules, correlations } = await loadRules(join(CONTENT, 'detections'), { alias: parsers.alias });
  content = { parsers, rules, correlations };
});

test('ten public incidents are replayed, and a stolen token beside them', () => {
  const replays = [...scenarios.values()].filter(({ incident }) => incident);
  expect(replays.length).toBeGreaterThanOrEqual(10);
  expect(names).toContain('stolen-oauth-token');
});

describe.each(names)('%s', (name) => {
  test('is kept by a drill as it was read', () => {
    expect(readKept(JSON.parse(JSON.stringify(find(name))))).toEqual(find(name));
  });

  test('its records parse, and the detections that it expects fire', () => {
    const found = rehearse(find(name), content, NOW);
    expect(found).toMatchObject({ failed: [], silent: [], unknown: [] });
  });

  test('what it expects raises an alert', () => {
    const levels = new Map([...content.rules, ...content.correlations].map(({ id, level }) => [id, level]));
    expect(find(name).detections.filter(({ rule }) => levels.get(rule) === SILENT_LEVEL)).toEqual([]);
  });

  test('every person and host in its records is reserved for such use', () => {
    const text = JSON.stringify(find(name).records);
    const mails = [...text.matchAll(/[\w.+-]+@([\w.-]+)/g)].map((match) => match[1]);
    expect(mails.filter((domain) => domain !== 'drill.invalid')).toEqual([]);
    const addresses = [...text.matchAll(/\b(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}\b/g)].map((match) => match[1] ?? '');
    const reserved = ['192.0.2', '198.51.100', '203.0.113', '117.0'];
    expect(addresses.filter((net) => !reserved.some((one) => net.startsWith(one)))).toEqual([]);
  });
});

describe('a scenario that leads nowhere is refused', () => {
  const whole = find('stolen-oauth-token');
  test.each<[what: string, change: Partial<Scenario>, problem: string]>([
    ['a detection after no inject', { detections: [{ rule: 'a.b', after: 'x', within: 1 }] }, '"x" is no inject'],
    ['calls without a target', { target: undefined }, 'first-use calls, but there is no target'],
    ['a live fire that expects nothing', { detections: [] }, 'a live fire expects a detection'],
    [
      'a replay without sources',
      { incident: { name: 'a', when: 'b', who: 'c' }, sources: [] },
      'a replayed incident names its sources',
    ],
    ['an inject after the end', { limit: 500 }, 'probing comes after the limit'],
    ['an action of a role that nobody has', { roles: ['commander'] }, 'nobody has the role technical'],
  ])('%s', (_what, change, problem) => {
    expect(scenarioProblems({ ...whole, ...change })).toContain(problem);
  });
});
