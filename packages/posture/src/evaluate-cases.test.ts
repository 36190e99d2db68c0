import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CaseInvalid } from './errors.ts';
import { evaluateCases } from './evaluate-cases.ts';

const contentFolder = fileURLToPath(new URL('../../../content', import.meta.url));

async function judge(...lines: string[]): Promise<unknown[]> {
  const source = (async function* () {
    yield* lines;
  })();
  const verdicts: unknown[] = [];
  for await (const line of evaluateCases(source, { contentFolder, now: 0 })) verdicts.push(JSON.parse(line));
  return verdicts;
}

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
