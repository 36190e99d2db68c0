import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FIELDS } from './query-fields.ts';

test('the guide lists every field as the table of fields has it', () => {
  const guide = readFileSync(new URL('../../../docs/guide/search.md', import.meta.url), 'utf8');
  const section = guide.slice(guide.indexOf('## Fields'), guide.indexOf("OCSF's own names"));
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map((match) => [match[1], match[2]]);
  expect(rows).toEqual(FIELDS.map(({ name, help }) => [name, help]));
});
