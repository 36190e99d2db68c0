import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestLogger } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DetectionContent, loadDetectionContent } from './detection-content.ts';

let folder = '';
let plain: DetectionContent;
let content: DetectionContent;

const rule = (id: string, title: string): string =>
  `title: ${title}\nid: ${id}\nstatus: test\nlevel: low\nlogsource:\n  product: okta\n  service: okta\ndetection:\n  one:\n    eventType: user.session.start\n  condition: one\n`;
const OWN_ID = '7f1c8a52-7f0e-4d2f-9a0b-0c4f1f0a0042';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cordon-rules-'));
  plain = await loadDetectionContent(createTestLogger());
  const [ours] = plain.ruleSet.rules;
  await writeFile(join(folder, 'good.yaml'), rule(OWN_ID, 'Ours alone'));
  await writeFile(
    join(folder, 'good.samples.yaml'),
    'product: okta\nfires: [{ eventType: user.session.start }]\nquiet: []\n',
  );
  await writeFile(join(folder, 'broken.yaml'), 'title: no detection\nid: nothing\n');
  await writeFile(join(folder, 'twice.yaml'), rule(ours?.id ?? '', 'An id of Cordon'));
  content = await loadDetectionContent(createTestLogger(), folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a customer's rule runs beside ours, and its samples lie beside it", async () => {
  const found = content.ruleSet.rules.find(({ id }) => id === OWN_ID);
  expect(found).toMatchObject({ title: 'Ours alone', file: 'own/good.yaml' });
  expect(content.ruleSet.rules).toHaveLength(plain.ruleSet.rules.length + 1);
  expect(content.own.files).toContain('own/good.yaml');
  expect(await content.samples('own/good.yaml')).toEqual({ fires: [{ eventType: 'user.session.start' }], quiet: [] });
});

test('what can not be read is named by its file, and stops nothing', () => {
  const files = content.ruleSet.problems.map(({ file }) => file);
  expect(files).toEqual(expect.arrayContaining(['own/broken.yaml', 'own/twice.yaml']));
  expect(plain.ruleSet.problems).toEqual([]);
});

test('only files of rules are read as samples', async () => {
  expect(await content.samples('own/../../etc/passwd')).toBeNull();
});

test('a folder that is not there stops nothing either', async () => {
  const without = await loadDetectionContent(createTestLogger(), join(folder, 'gone'));
  expect(without.ruleSet.rules).toHaveLength(plain.ruleSet.rules.length);
  expect(without.ruleSet.problems).toHaveLength(1);
});
