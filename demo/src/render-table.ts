import { styleText } from 'node:util';
import type { Outcome, ScenarioResult } from './scenario.ts';

const WIDTH_MIN = 80;
const WIDTH_MAX = 120;

const COLOURS: Readonly<Record<Outcome, Parameters<typeof styleText>[0]>> = {
  allowed: 'green',
  redacted: 'yellow',
  refused: 'magenta',
  limited: 'cyan',
  'cut off': 'red',
};

export interface TableOptions {
  /** Columns of the terminal; held between 80 and 120. */
  readonly columns?: number;
  /** Whether to colour; leave off where the output is not a terminal. */
  readonly colour?: boolean;
}

/** Breaks at spaces; a word longer than a line is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.replace(/\s+/g, ' ').trim().split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines;
}

/**
 * The table at the end of the demonstration: one row for each scenario with what was done to whom and why, and a line
 * that counts. Plain text without `colour`.
 */
export function renderTable(results: readonly ScenarioResult[], options: TableOptions = {}): string {
  const total = Math.min(Math.max(options.columns ?? WIDTH_MAX, WIDTH_MIN), WIDTH_MAX);
  const name = Math.max(8, ...results.map((result) => result.name.length));
  const who = Math.max(11, ...results.map((result) => result.who.length));
  const outcome = 8;
  const why = total - name - who - outcome - 9;
  const row = (
    cells: readonly [string, string, string, string, string],
    style?: Parameters<typeof styleText>[0],
  ): string[] => {
    const reasons = wrap(cells[4], why);
    return reasons.map((reason, index) => {
      const [mark, ...rest] = index === 0 ? cells : ['', '', '', ''];
      const out = (rest[2] ?? '').padEnd(outcome);
      const coloured = options.colour && style && index === 0 ? styleText(style, out, { validateStream: false }) : out;
      return `${(mark ?? '').padEnd(2)} ${(rest[0] ?? '').padEnd(name)}  ${(rest[1] ?? '').padEnd(who)}  ${coloured}  ${reason}`.trimEnd();
    });
  };
  const lines = [...row(['', 'Scenario', 'Integration', 'Outcome', 'What happened, and why']), '-'.repeat(total)];
  for (const result of results) {
    const why = result.reason === '' ? result.happened : `${result.happened} | ${result.reason}`;
    const text = result.ok ? why : `${why} (expected: ${result.expected})`;
    lines.push(
      ...row([result.ok ? 'ok' : '!!', result.name, result.who, result.outcome, text], COLOURS[result.outcome]),
    );
  }
  const failed = results.filter((result) => !result.ok).length;
  lines.push('-'.repeat(total), `${results.length - failed} as expected, ${failed} not`);
  return `${lines.join('\n')}\n`;
}
