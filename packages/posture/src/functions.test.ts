import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createExpressionCompiler, namedFunctions } from './expression.ts';

const NOW = Date.parse('2026-01-15T00:00:00Z');
const compiler = createExpressionCompiler();

function value(source: string, settings: unknown = {}) {
  const unseen: string[] = [];
  const outcome = compiler.compile(source).run({ settings }, { now: NOW, unseen: (path) => void unseen.push(path) });
  return { outcome: outcome.ok ? outcome.value : outcome.problem, unseen };
}

describe('named functions', () => {
  test.each([
    ['at(settings, "a.b")', { a: { b: 1 } }, 1],
    ['at(settings, "constructor")', {}, null],
    ['asList(settings.a)', { a: null }, []],
    ['asList(settings.a)', { a: 'x' }, ['x']],
    ['valuesOf(settings)', { a: 1, b: 2 }, [1, 2]],
    ['listed("a, b")', {}, ['a', 'b']],
    ['missingFrom(["a", "b"], ["b"])', {}, ['a']],
    ['distinct(["a", "b", "a"])', {}, ['a', 'b']],
    ['flatten([["a"], ["b"]])', {}, ['a', 'b']],
    ['lower(" AbC ")', {}, 'abc'],
    ['like("Strict Preset Security Policy1", "*preset security policy*")', {}, true],
    ['like("abc", "a*c*d")', {}, false],
    ['like("aXbXc", "a*b*c")', {}, true],
    ['like("ab", "ab*b")', {}, false],
    ['number("12")', {}, 12],
    ['number(null)', {}, -1],
    ['seconds("12h")', {}, 43_200],
    ['seconds("soon")', {}, null],
    ['isoDays("P1Y2M3D")', {}, 428],
    ['isoDays("90 days")', {}, null],
    ['daysSince("2026-01-05T00:00:00Z")', {}, 10],
    ['daysSince(settings.at)', { at: 1_767_571_200 }, 10],
    ['daysSince("/Date(1767571200000)/")', {}, 10],
    ['daysSince("never")', {}, null],
    ['dmarcReports("v=DMARC1; rua=mailto:a@x.org, b@x.org; ruf=mailto:c@x.org", "rua")', {}, ['mailto:a@x.org']],
    ['dmarcReports("v=DMARC1; rua=mailto:a@x.org; rua=mailto:b@x.org", "rua")', {}, []],
    ['mailAddresses(["CEO;Ceo@x.org", "plain@x.org"])', {}, ['ceo@x.org', 'plain@x.org']],
  ])('%s', (source, settings, expected) => {
    expect(value(source, settings).outcome).toEqual(expected);
  });

  test('are each described in the guide', () => {
    const guide = readFileSync(fileURLToPath(new URL('../../../docs/guide/posture.md', import.meta.url)), 'utf8');
    const rows = namedFunctions.map(({ signature, description }) => `| \`${signature}\` | ${description} |`);
    expect(rows.filter((row) => !guide.includes(row))).toEqual([]);
  });
});

describe('settings of Google Workspace', () => {
  const tenant_info = { topLevelOU: 'Top' };

  test('a unit inherits from its ancestors before the top', () => {
    const policies = { Top: { s: { a: 1, b: 1 } }, Sales: { s: { a: 2 } }, 'EMEA (in Sales)': { s: { b: 3 } } };
    expect(value('gwsUnits(settings, "").map(u, u.set.s)', { policies, tenant_info }).outcome).toEqual([
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 2, b: 3 },
    ]);
  });

  test('a unit whose service is off is left out', () => {
    const policies = {
      Top: { x_service_status: { serviceState: 'ENABLED' }, s: { a: 1 } },
      Off: { x_service_status: { serviceState: 'disabled' } },
    };
    expect(value('gwsValues(settings, "x", "s.a").map(v, v.unit)', { policies, tenant_info })).toEqual({
      outcome: ['Top'],
      unseen: [],
    });
  });

  test('a unit without the setting is a hole', () => {
    const policies = { Top: {}, Sales: { s: { a: 1 } } };
    expect(value('gwsValues(settings, "", "s.a")', { policies, tenant_info }).unseen).toEqual(['policies.Top.s.a']);
  });

  const change = (time: string, unit: string, setting: string) => ({
    id: { time },
    events: [
      {
        parameters: [
          { name: 'SETTING_NAME', value: 'S' },
          { name: 'NEW_VALUE', value: setting },
          { name: 'ORG_UNIT_NAME', value: unit },
        ],
      },
    ],
  });

  test('the last change in a unit counts, whatever the order of the log', () => {
    const items = [change('2025-03-01T00:00:00Z', 'Top', 'late'), change('2025-01-01T00:00:00Z', 'Top', 'early')];
    expect(value('gwsEvents(settings, "x_logs", "S").map(e, e.value)', { x_logs: { items }, tenant_info })).toEqual({
      outcome: ['late'],
      unseen: [],
    });
  });

  test('changes in units that are gone are left out', () => {
    const items = [change('2025-03-01T00:00:00Z', 'Top', 'a'), change('2025-03-01T00:00:00Z', 'Gone', 'b')];
    const settings = { x_logs: { items }, tenant_info, organizational_unit_names: ['Top', 'Sales'] };
    expect(value('gwsEvents(settings, "x_logs", "S").map(e, e.unit)', settings).outcome).toEqual(['Top']);
  });

  test('without a stated top-level unit, the only unit in the log is it', () => {
    const items = [change('2025-03-01T00:00:00Z', 'Only', 'a')];
    expect(value('gwsTop(settings)', { x_logs: { items }, tenant_info: { topLevelOU: '' } }).outcome).toBe('Only');
  });
});
