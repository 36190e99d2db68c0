import { compileDescription } from '@cordon/openapi';
import { expect, test } from 'vitest';
import { createDescriptionCompiler } from './description-compiler.ts';

const document = (operations: number): Uint8Array => {
  const paths = Object.fromEntries(
    Array.from({ length: operations }, (_, index) => [
      `/p${index}`,
      { get: { operationId: `o${index}`, responses: { 200: { description: 'ok' } } } },
    ]),
  );
  return Buffer.from(JSON.stringify({ openapi: '3.1.0', info: { title: 'T', version: '1' }, paths }));
};

test('a description that a thread compiled is the same as one compiled here', async () => {
  const compile = createDescriptionCompiler();
  const [made, other] = await Promise.all([compile(document(3)), compile(document(4))]);
  expect(made.sha256).toBe(compileDescription(document(3)).sha256);
  expect(other.operations).toBe(4);
});

test('the event loop goes on while one is compiled', async () => {
  const done = new AbortController();
  let turns = 0;
  const compiling = createDescriptionCompiler()(document(2_000)).finally(() => done.abort());
  while (!done.signal.aborted) {
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await compiling;
  expect(turns).toBeGreaterThan(10);
});

test.each([
  ['what is none', Buffer.from('hello'), undefined, /description/i],
  ['what takes too long', document(20_000), 1, /in 0.001 s/],
])('%s is refused with the reason', async (_what, source, msMax, reason) => {
  await expect(createDescriptionCompiler(msMax)(source)).rejects.toThrow(reason);
});
