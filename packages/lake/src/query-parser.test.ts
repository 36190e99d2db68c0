import { describe, expect, test } from 'vitest';
import { DEPTH_MAX, parseQuery, type QueryNode, TERMS_MAX } from './query-parser.ts';
import { QUERY_CHARS_MAX } from './query-tokens.ts';

function show(node: QueryNode | undefined): string {
  if (!node) return '*';
  if (node.kind === 'text') return node.value.quoted ? `"${node.value.text}"` : node.value.text;
  if (node.kind === 'not') return `!${show(node.node)}`;
  if (node.kind === 'compare')
    return `${node.field}${node.operator}[${node.values.map((v) => (v.quoted ? `"${v.text}"` : v.text)).join('|')}]`;
  return `(${node.nodes.map(show).join(node.kind === 'and' ? ' & ' : ' | ')})`;
}

describe('parseQuery', () => {
  test.each([
    ['', '*'],
    ['  \n ', '*'],
    [
      'actor.email:ada@* app:github severity>=high "invoice"',
      '(actor.email:[ada@*] & app:[github] & severity>=[high] & "invoice")',
    ],
    ['a or b c', '(a | (b & c))'],
    ['a AND b OR c and not d', '((a & b) | (c & !d))'],
    ['(a or b) c', '((a | b) & c)'],
    ['-app:slack', '!app:[slack]'],
    ['not (a or -b)', '!(a | !b)'],
    ['app in (github, slack)', 'app:[github|slack]'],
    ['app:(github or "my app")', 'app:[github|"my app"]'],
    ['app!=(a b)', 'app!=[a|b]'],
    ['src_ip:2001:db8::/32', 'src_ip:[2001:db8::/32]'],
    ['time>=2026-11-22T10:00:00Z', 'time>=[2026-11-22T10:00:00Z]'],
    ['latency : 5..10', 'latency:[5..10]'],
    ['latency >= 1.5s', 'latency>=[1.5s]'],
    ['path:"a \\"b\\" \\\\ c\\d"', 'path:["a "b" \\ c\\d"]'],
    ['"or" "and"', '("or" & "and")'],
    ['in', 'in'],
    ['well-known a-b', '(well-known & a-b)'],
    ['reason:""', 'reason:[""]'],
    ['app:or', 'app:[or]'],
    ['x:(y)', 'x:[y]'],
    ["it's 100% _done_ \\", "(it's & 100% & _done_ & \\)"],
  ])('reads %s', (query, tree) => {
    expect(show(parseQuery(query))).toBe(tree);
  });

  test.each([
    ['(a', 0, 'not closed'],
    ['a)', 1, 'closes nothing'],
    ['a or', 4, 'ends where a term is expected'],
    ['or a', 0, 'needs a term before it'],
    ['a and and b', 6, 'needs a term before it'],
    ['"open', 0, 'does not end'],
    ['app:', 3, 'A value is expected after app:'],
    ['app:)', 3, 'A value is expected'],
    ['app:()', 4, 'list is empty'],
    ['app>(a b)', 4, 'A list of values goes with'],
    ['app:(a, (b))', 8, 'list is not closed'],
    [', a', 0, 'A term is expected'],
    ['not', 3, 'ends where a term is expected'],
    ['()', 1, 'A term is expected'],
  ])('refuses %s and points at it', (query, position, message) => {
    expect(() => parseQuery(query)).toThrow(
      expect.objectContaining({
        code: 'lake.query_invalid',
        message: expect.stringContaining(message),
        detail: expect.objectContaining({ position }),
      }),
    );
  });

  test.each([
    ['characters', 'a'.repeat(QUERY_CHARS_MAX + 1)],
    ['parentheses', '('.repeat(DEPTH_MAX + 2) + 'a' + ')'.repeat(DEPTH_MAX + 2)],
    ['negations', '-'.repeat(DEPTH_MAX + 2) + 'a'],
    ['terms', 'a '.repeat(TERMS_MAX + 1)],
    ['values', `app:(${'a '.repeat(TERMS_MAX + 1)})`],
  ])('refuses too many %s', (_what, query) => {
    expect(() => parseQuery(query)).toThrow(expect.objectContaining({ code: 'lake.query_too_large' }));
  });

  test('every node knows where it stands', () => {
    const query = 'a (app:github or "b c")';
    const node = parseQuery(query);
    if (node?.kind !== 'and') throw new TypeError('expected a conjunction');
    const [, right] = node.nodes;
    if (right?.kind !== 'or') throw new TypeError('expected a disjunction');
    expect(right.nodes.map((child) => query.slice(child.start, child.end))).toEqual(['app:github', '"b c"']);
  });
});
