import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadCatalogue } from './catalogue-folder.ts';
import { CaseInvalid } from './errors.ts';
import { evaluateCases, judgeCases } from './evaluate-cases.ts';

const contentFolder = fileURLToPath(new URL('../../../content', import.meta.url));

const catalogue = await loadCatalogue(contentFolder);

async function* linesOf(...lines: string[]): AsyncGenerator<string> {
  yield* lines;
}

async function judge(...lines: string[]): Promise<unknown[]> {
  const verdicts: unknown[] = [];
  for await (const line of judgeCases(linesOf(...lines), catalogue, 0)) verdicts.push(JSON.parse(line));
  return verdicts;
}

test('loads the checks by itself and loses no line meanwhile', { timeout: 60_000 }, async () => {
  const line = '{"policy":"MS.EXO.5.1v1","input":{}}';
  const lines = createInterface({ input: Readable.from([`${line}\n${line}\n`]) });
  const verdicts: string[] = [];
  for await (const verdict of evaluateCases(lines, { contentFolder, now: 0 })) verdicts.push(verdict);
  expect(verdicts).toHaveLength(2);
  expect(verdicts[0]).toContain('NOT_VISIBLE');
});

test('judges each line in order', async () => {
  const input = (disabled: boolean) => ({
    transport_config: [{ Name: 'T', SmtpClientAuthenticationDisabled: disabled }],
  });
  const verdicts = await judge(
    JSON.stringify({ policy: 'MS.EXO.5.1v1', input: input(true), expected: 'PASS' }),
    '',
    JSON.stringify({ policy: 'MS.EXO.5.1', input: input(false) }),
    JSON.stringify({ policy: 'MS.EXO.5.1v1', input: {} }),
    JSON.stringify({ policy: 'MS.NONE.1.1v1', input: {} }),
  );
  expect(verdicts).toMatchObject([
    { policy: 'MS.EXO.5.1v1', verdict: 'PASS', check: 'MS.EXO.5.1v1' },
    { policy: 'MS.EXO.5.1', verdict: 'FAIL', reason: 'SMTP AUTH is on in: T.', check: 'MS.EXO.5.1v1' },
    { verdict: 'NOT_VISIBLE' },
    { verdict: 'ERROR', check: null },
  ]);
});

test.each(['not json', '[]', '{"input":{}}'])('refuses %s', async (line) => {
  await expect(judge(line)).rejects.toThrow(CaseInvalid);
});
