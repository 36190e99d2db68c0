import { expect, test } from 'vitest';
import { compileExpression } from './closure.ts';
import { parseRuleFile } from './parse.ts';

function fires(detection: string, event: unknown, ocsf: unknown = {}): boolean {
  const file = parseRuleFile(
    `title: t\nlogsource: { product: acme }\ndetection:\n${detection.replaceAll(/^/gm, '  ')}`,
    {
      placeholders: { admins: ['root', 'adm*'] },
    },
  );
  const rule = file.rules[0];
  if (!rule) throw new Error('no rule');
  return compileExpression(rule.expression)(event, { raw: event, ocsf, text: () => JSON.stringify(event) });
}

/** One search and the condition `s`. */
const s = (search: string): string => `s:\n${search.replaceAll(/^/gm, '  ')}\ncondition: s`;

const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');
const b64 = (text: string): string => Buffer.from(text).toString('base64');

/** feature (as in docs/guide/detection.md), detection, an event that fires, an event that doesn't */
const features: [feature: string, detection: string, firing: unknown, quiet: unknown][] = [
  ['equality ignores case', s('a: Hello'), { a: 'hELLO' }, { a: 'hello!' }],
  ['list of values is or', s('a: [x, y]'), { a: 'y' }, { a: 'z' }],
  ['map is and', s('a: x\nb: y'), { a: 'x', b: 'y' }, { a: 'x', b: 'z' }],
  ['list of maps is or', s('- a: x\n- b: y'), { b: 'y' }, { b: 'x' }],
  ['numbers', s('a: 5'), { a: '5.0' }, { a: '5x' }],
  ['booleans', s('a: true'), { a: 'True' }, { a: false }],
  ['null', s('a: null'), { a: null }, { a: '' }],
  ['empty text', s("a: ''"), { a: '' }, { b: 1 }],
  ['wildcard *', s("a: 'ab*yz'"), { a: 'ab--yz' }, { a: 'ab--y' }],
  ['wildcard ?', s("a: 'a?c'"), { a: 'abc' }, { a: 'ac' }],
  ['escaped wildcard', s(String.raw`a: 'a\*c'`), { a: 'a*c' }, { a: 'abc' }],
  ['plain backslash', s(String.raw`a: 'C:\tmp'`), { a: 'c:\\TMP' }, { a: 'c:tmp' }],
  ['backslash before wildcard', s(String.raw`a: 'C:\\*'`), { a: 'c:\\x' }, { a: 'c:*' }],
  ['contains', s('a|contains: mid'), { a: 'amidst' }, { a: 'mad' }],
  ['startswith', s('a|startswith: pre'), { a: 'prefix' }, { a: 'apre' }],
  ['endswith', s('a|endswith: fix'), { a: 'prefix' }, { a: 'fixed' }],
  ['all', s('a|contains|all: [one, two]'), { a: 'two one' }, { a: 'one' }],
  ['cased', s('a|cased: Root'), { a: 'Root' }, { a: 'root' }],
  ['neq', s('a|neq: [x, y]'), { a: 'z' }, { a: 'X' }],
  ['exists', s('a|exists: true\nb|exists: false'), { a: null }, { a: 1, b: 1 }],
  ['re', s("a|re: '^[a-z]{2}[0-9]+$'"), { a: 'ab12' }, { a: 'AB12' }],
  ['re with i', s("a|re|i: '^ab'"), { a: 'ABc' }, { a: 'cab' }],
  ['re with m', s("a|re|m: '^two$'"), { a: 'one\ntwo' }, { a: 'one two' }],
  ['re with s', s("a|re|s: 'one.two'"), { a: 'one\ntwo' }, { a: 'onetwo' }],
  ['base64', s('a|base64: secret'), { a: b64('secret') }, { a: 'secret' }],
  ['base64offset', s('a|base64offset|contains: secret'), { a: b64('a secret here') }, { a: b64('a public here') }],
  ['wide', s('a|wide: cmd'), { a: utf16('cmd') }, { a: 'cmd' }],
  ['utf16le', s('a|utf16le|base64: cmd'), { a: Buffer.from('cmd', 'utf16le').toString('base64') }, { a: b64('cmd') }],
  ['utf16be', s('a|utf16be: cmd'), { a: '\0c\0m\0d' }, { a: utf16('cmd') }],
  ['utf16', s('a|utf16: cmd'), { a: `\u00ff\u00fe${utf16('cmd')}` }, { a: utf16('cmd') }],
  ['windash', s("a|windash|contains: ' -enc'"), { a: 'run /enc x' }, { a: 'run enc x' }],
  ['cidr v4', s('a|cidr: 10.0.0.0/8'), { a: '10.9.8.7' }, { a: '11.0.0.1' }],
  ['cidr v6', s("a|cidr: '2001:db8::/32'"), { a: '2001:db8:1::1' }, { a: '2001:db9::1' }],
  ['lt', s('a|lt: 3'), { a: 2 }, { a: 3 }],
  ['lte', s('a|lte: 3'), { a: '3' }, { a: 4 }],
  ['gt', s('a|gt: 3'), { a: 3.5 }, { a: 3 }],
  ['gte', s('a|gte: 3'), { a: 3 }, { a: 'many' }],
  ['fieldref', s('a|fieldref: b'), { a: 'X', b: 'x' }, { a: 'x', b: 'y' }],
  ['fieldref with startswith', s('a|fieldref|startswith: b'), { a: 'xyz', b: 'xy' }, { a: 'xyz', b: 'yz' }],
  ['fieldref with neq', s('a|fieldref|neq: b'), { a: 'x', b: 'y' }, { a: 'x', b: 'x' }],
  ['expand', s("a|expand: '%admins%'"), { a: 'admin7' }, { a: 'user' }],
  ['time minute', s('a|minute: 30'), { a: '2026-01-01T10:30:00Z' }, { a: '2026-01-01T10:31:00Z' }],
  ['time hour with a comparison', s('a|hour|gte: 22'), { a: '2026-01-01 23:00:00' }, { a: '2026-01-01 21:59:00' }],
  ['time day', s('a|day: 31'), { a: '2026-01-31' }, { a: '2026-01-30' }],
  ['time week', s('a|week: 1'), { a: '2024-12-30T00:00:00Z' }, { a: '2024-12-29T00:00:00Z' }],
  ['time month', s('a|month: 12'), { a: '2024-12-30' }, { a: '2024-11-30' }],
  ['time year', s('a|year: 2024'), { a: '2024-12-30' }, { a: 'then' }],
  ['keywords', s('- needle\n- nail'), { deep: { er: ['a Needle'] } }, { deep: 'hay' }],
  ['keywords with all', s("'|all':\n  - one\n  - two"), { a: 'one', b: 'two' }, { a: 'one' }],
  ['keyword with a quote', s('- \'say "hi"\''), { a: 'to say "hi" now' }, { a: 'to say hi' }],
  [
    'and, or, not, brackets',
    'x: { a: 1 }\ny: { b: 1 }\nz: { c: 1 }\ncondition: x and not (y or z)',
    { a: 1 },
    { a: 1, c: 1 },
  ],
  ['and binds closer than or', 'x: { a: 1 }\ny: { b: 1 }\nz: { c: 1 }\ncondition: x or y and z', { a: 1 }, { b: 1 }],
  ['1 of pattern', 'sel_a: { a: 1 }\nsel_b: { b: 1 }\nother: { c: 1 }\ncondition: 1 of sel_*', { b: 1 }, { c: 1 }],
  ['all of pattern', 'sel_a: { a: 1 }\nsel_b: { b: 1 }\ncondition: all of sel_*', { a: 1, b: 1 }, { b: 1 }],
  ['1 of them leaves out _', 'x: { a: 1 }\n_y: { b: 1 }\ncondition: 1 of them', { a: 1 }, { b: 1 }],
  ['all of them', 'x: { a: 1 }\ny: { b: 1 }\ncondition: all of them', { a: 1, b: 1 }, { a: 1 }],
  ['list of conditions is or', 'x: { a: 1 }\ny: { b: 1 }\ncondition: [x, y]', { b: 1 }, { c: 1 }],
  ['path into objects', s('a.b.c: x'), { a: { b: { c: 'x' } } }, { a: { b: 'x' } }],
  ['path through lists', s('a.b: x'), { a: [{ b: 'y' }, { b: 'x' }] }, { a: [{ c: 'x' }] }],
  ['list of texts', s('a: x'), { a: ['y', 'x'] }, { a: ['y'] }],
  ['key with a dot', s(String.raw`a\.b: x`), { 'a.b': 'x' }, { a: { b: 'x' } }],
  ['own keys only', s('constructor|exists: true'), { constructor: 1 }, {}],
  [
    'any (extension)',
    s('a|any:\n  k: role\n  v: admin'),
    {
      a: [
        { k: 'x', v: 'y' },
        { k: 'role', v: 'admin' },
      ],
    },
    {
      a: [
        { k: 'role', v: 'y' },
        { k: 'x', v: 'admin' },
      ],
    },
  ],
  ['any with alternatives (extension)', s('a|any:\n  - k: x\n  - v: y'), { a: [{ v: 'y' }] }, { a: [{ v: 'x' }] }],
];

test.each(features)('%s', (_feature, detection, firing, quiet) => {
  expect(fires(detection, firing)).toBe(true);
  expect(fires(detection, quiet)).toBe(false);
});

test('fields with ocsf. look into the normalised event', () => {
  expect(fires(s('ocsf.actor.user.name: ada'), {}, { actor: { user: { name: 'Ada' } } })).toBe(true);
  expect(fires(s('ocsf.actor.user.name: ada'), { actor: { user: { name: 'Ada' } } }, {})).toBe(false);
});

test.each([
  ['an unknown modifier', s('a|upside: x'), 'upside'],
  ['a placeholder without values', s("a|expand: '%nobody%'"), 'nobody'],
  ['an expression that needs backtracking', s("a|re: '(a)\\1'"), 'linear'],
  ['a network that is none', s('a|cidr: 10.0.0.0/99'), 'CIDR'],
  ['text where a number is needed', s('a|gt: many'), 'number'],
  ['a condition with an unknown search', 'x: { a: 1 }\ncondition: y', '"y"'],
  ['a condition that ends early', 'x: { a: 1 }\ncondition: x and', 'too early'],
  ['a bracket left open', 'x: { a: 1 }\ncondition: (x', 'bracket'],
  ['an "of" that matches nothing', 'x: { a: 1 }\ncondition: 1 of y*', 'matches no search'],
  ['a missing condition', 'x: { a: 1 }', 'condition'],
  ['an empty list', s('a: []'), 'empty'],
])('refuses %s', (_what, detection, message) => {
  expect(() => fires(detection, {})).toThrow(message);
});

test('a filter takes its events away from the rules it names', async () => {
  const { applyFilters } = await import('./parse.ts');
  const file = parseRuleFile(
    [
      'title: r\nid: r1\nlogsource: { product: acme }\ndetection: { s: { a: 1 }, condition: s }',
      'title: f\nlogsource: { product: acme }\nfilter: { rules: [r1], selection: { by: robot }, condition: selection }',
    ].join('\n---\n'),
  );
  const [rule] = applyFilters(file.rules, file.filters);
  if (!rule) throw new Error('no rule');
  const test = compileExpression(rule.expression);
  const run = (raw: unknown): boolean => test(raw, { raw, ocsf: {}, text: () => '' });
  expect(run({ a: 1, by: 'ada' })).toBe(true);
  expect(run({ a: 1, by: 'robot' })).toBe(false);
});
