import { expect, test } from 'vitest';
import { parseRpc } from './json-rpc.ts';
import { formatSse, SseReader, SseTooLong } from './sse.ts';

test.each([
  [{ jsonrpc: '2.0', id: 1, method: 'ping' }, 'request'],
  [{ jsonrpc: '2.0', id: 'a', method: 'tools/call', params: {} }, 'request'],
  [{ jsonrpc: '2.0', method: 'notifications/initialized' }, 'notification'],
  [{ jsonrpc: '2.0', id: 1, result: {} }, 'response'],
  [{ jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } }, 'response'],
])('%j is a %s', (value, kind) => {
  expect(parseRpc(value)).toMatchObject({ kind });
});

test.each([
  [null],
  [[]],
  [{ id: 1, method: 'ping' }],
  [{ jsonrpc: '2.0', id: null, method: 'ping' }],
  [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }],
  [{ jsonrpc: '2.0', id: 1, method: 'ping', Method: 'tools/call' }],
  [{ jsonrpc: '2.0', id: 1, method: 'ping', result: {} }],
  [{ jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
  [{ jsonrpc: '2.0', id: 1, method: 'a b' }],
  [{ jsonrpc: '2.0', id: 1 }],
  [{ jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }],
  [{ jsonrpc: '2.0', result: {} }],
])('%j is no message', (value) => {
  expect(parseRpc(value)).toBeTypeOf('string');
});

const read = (...chunks: string[]) => {
  const reader = new SseReader(1000);
  return chunks.flatMap((chunk) => reader.push(Buffer.from(chunk)));
};

test.each([
  [['data: a\n\n'], ['a']],
  [['data: a\r\n\r\ndata: b\r\n\r\n'], ['a', 'b']],
  [
    ['da', 'ta: a\n', '\ndata:b\n\n'],
    ['a', 'b'],
  ],
  [['data: a\ndata: b\n\n'], ['a\nb']],
  [[': comment\n\n', 'data: a\n\n'], ['a']],
  [['data: a'], []],
])('%j holds %j', (chunks, data) => {
  expect(read(...chunks).map((event) => event.data)).toEqual(data);
});

test('ids and waits are read, and written so that nothing breaks out of its line', () => {
  expect(read('id: 7\nretry: 500\ndata: {}\n\n')).toEqual([{ id: '7', event: undefined, data: '{}', retry: 500 }]);
  expect(formatSse({ id: 'x', data: JSON.stringify({ text: 'a\n\nid: evil' }) })).toBe(
    'id: x\nevent: message\ndata: {"text":"a\\n\\nid: evil"}\n\n',
  );
});

test('an event without end is no event', () => {
  expect(() => read(`data: ${'x'.repeat(2000)}`)).toThrow(SseTooLong);
});
