import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';

async function folder(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'cordon-rules-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

const rule = (id: string, search = '{ op: a }'): string =>
  `title: ${id}\nid: ${id}\nlogsource: { product: acme, service: log }\ndetection: { s: ${search}, condition: s }`;

test('reads folders, leaves samples out, and names the files it could not read', async () => {
  const set = await loadRules(
    await folder({
      'a/one.yaml': rule('one'),
      'a/one.samples.yaml': 'product: acme',
      'b/two.yml': rule('two'),
      'b/broken.yaml': 'title: [',
      'b/wrong.yaml': rule('wrong', '{ op|sideways: a }'),
      'c/again.yaml': rule('two'),
      'readme.md': '# no rule',
    }),
  );
  expect(set.rules.map(({ id, file }) => [id, file])).toEqual([
    ['one', 'a/one.yaml'],
    ['two', 'b/two.yml'],
  ]);
  expect(set.problems.map(({ file }) => file)).toEqual(['b/broken.yaml', 'b/wrong.yaml', 'c/again.yaml']);
  expect(set.problems.map(({ message }) => message).join('\n')).toMatch(/sideways[\s\S]*used twice/);
});

test("a customer's placeholders stand over the folder's", async () => {
  const root = await folder({ 'placeholders.yaml': 'names: [ada]', 'r.yaml': rule('r', "{ who|expand: '%names%' }") });
  const fires = async (names: Record<string, string[]>, who: string): Promise<boolean> => {
    const { rules } = await loadRules(root, { placeholders: names });
    const event = { id: 'e', time: 1, product: 'acme', service: 'log', raw: { who }, ocsf: {} };
    return createMatcher(rules).match(event).length > 0;
  };
  expect([
    await fires({}, 'ada'),
    await fires({ names: ['bob'] }, 'ada'),
    await fires({ names: ['bob'] }, 'bob'),
  ]).toEqual([true, false, true]);
});

test('a public log source and field become ours', async () => {
  const root = await folder({ 'r.yaml': rule('r', '{ Operation: a }') });
  const { rules } = await loadRules(root, {
    alias: (logsource, field) => (logsource.product === 'acme' && field === 'Operation' ? 'data.op' : undefined),
    logsource: (logsource) => (logsource.product === 'acme' ? { product: 'ours', service: 'audit' } : logsource),
  });
  const event = { id: 'e', time: 1, product: 'ours', service: 'audit', raw: { data: { op: 'A' } }, ocsf: {} };
  expect(createMatcher(rules).match(event)).toHaveLength(1);
});
