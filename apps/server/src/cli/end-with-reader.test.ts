import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { endWithReader } from './output.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test('a reader that has gone ends the program quietly; any other failure of the output is not hidden', () => {
  const output = new PassThrough();
  const end = vi.fn<(status: number) => void>();
  endWithReader(output, end);
  output.emit('error', failure('EPIPE'));
  expect(end).toHaveBeenCalledExactlyOnceWith(0);
  expect(() => output.emit('error', failure('ENOSPC'))).toThrow('ENOSPC');
  expect(end).toHaveBeenCalledTimes(1);
});
