import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readBuiltIn } from './built-in.ts';
import { parseSelector } from './grant-selector.ts';
import { validatePolicyText } from './policy-text.ts';

const guide = readFileSync(new URL('../../../docs/guide/policy.md', import.meta.url), 'utf8');

test("the guide's policies fit the schema", () => {
  const examples = [...guide.matchAll(/```cedar\n(.*?)```/gs)].map(([, text]) => text ?? '');
  expect(examples).toHaveLength(1);
  for (const text of examples)
    expect(validatePolicyText(text, readBuiltIn().schema)).toMatchObject({ valid: true, problems: [] });
});

test("the guide's selectors are read", () => {
  const table = guide.slice(guide.indexOf('| selector | covers |'), guide.indexOf('A **resource scope**'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const selectors = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? ''),
  );
  expect(selectors).toHaveLength(8);
  for (const text of selectors) expect(() => parseSelector(text)).not.toThrow();
});
