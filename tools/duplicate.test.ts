import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Runs of equal lines in two places: one of them should serve both, or the list says why not. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINES_MIN = 16;

/** Pairs that are alike for a reason. */
const ALIKE: Readonly<Record<string, string>> = {};

const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !/\/generated\/|\.test\.tsx?$/.test(file))
  .filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());

interface Line {
  readonly text: string;
  readonly number: number;
}

/** Lines that say something: no blanks, comments, imports or lone brackets. */
function linesOf(file: string): Line[] {
  return readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .map((text, index) => ({ text: text.trim(), number: index + 1 }))
    .filter(({ text }) => text !== '' && !/^(\/\/|\/?\*|import\b|export \{|\} from|[)\]},;(]+$)/.test(text))
    .filter(({ text }) => !/^(type )?[\w$]+,$/.test(text));
}

test(`no ${LINES_MIN} lines stand in two places`, () => {
  const seen = new Map<string, string>();
  const found = new Set<string>();
  for (const file of sources) {
    const lines = linesOf(file);
    for (let start = 0; start + LINES_MIN <= lines.length; start++) {
      const run = lines.slice(start, start + LINES_MIN);
      const key = run.map(({ text }) => text).join('\n');
      const place = `${file}:${run[0]?.number}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, place);
      else found.add([first.replace(/:\d+$/, ''), file].toSorted().join(' ~ '));
    }
  }
  expect([...found].filter((pair) => !(pair in ALIKE))).toEqual([]);
});
