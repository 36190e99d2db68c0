import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createInjectionDetector } from './index.ts';
import { readMultipart } from './multipart.ts';

const detector = createInjectionDetector();
const TYPE = 'multipart/form-data; boundary=xyz';
const field = (name: string, value: string): string => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
const file = (name: string, content = 'bytes'): string =>
  `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n${content}`;
const body = (...parts: string[]): Buffer =>
  Buffer.from(`${parts.map((part) => `--xyz\r\n${part}\r\n`).join('')}--xyz--\r\n`, 'utf8');

describe('parts', () => {
  test('are read as they were written', () => {
    const parts = readMultipart(TYPE, body(field('a', 'one\r\ntwo'), file('b.txt', '')));
    expect(parts?.map(({ name, fileName, type, content }) => [name, fileName, type, content.toString()])).toEqual([
      ['a', null, '', 'one\r\ntwo'],
      ['file', 'b.txt', 'text/plain', ''],
    ]);
  });

  test('what a platform’s own FormData writes is read back', async () => {
    const names = fc.string({ minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, fc.string({ unit: 'binary', maxLength: 40 }))), async (fields) => {
        const plain = fields.map(([name, value]) => [name.replaceAll(/[\r\n"\\]/g, '_'), value] as const);
        const form = new FormData();
        for (const [name, value] of plain) form.append(name, value);
        const request = new Request('http://a.example', { method: 'POST', body: form });
        const type = request.headers.get('content-type') ?? '';
        const parts = readMultipart(type, Buffer.from(await request.arrayBuffer()));
        // Line ends are normalised by the sender (WHATWG, section 4.4.2 of XMLHttpRequest's form data).
        const sent = plain.map(([name, value]) => [name, value.toWellFormed().replaceAll(/\r\n|\r|\n/g, '\r\n')]);
        expect(parts?.map(({ name, content }) => [name, content.toString('utf8')])).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['a preamble', TYPE, Buffer.concat([Buffer.from('x\r\n'), body(field('a', '1'))])],
    ['an epilogue', TYPE, Buffer.concat([body(field('a', '1')), Buffer.from('--xyz\r\n')])],
    ['no end', TYPE, body(field('a', '1')).subarray(0, -6)],
    ['bare line feeds', TYPE, Buffer.from(body(field('a', '1')).toString().replaceAll('\r\n', '\n'))],
    ['two names', TYPE, body('Content-Disposition: form-data; name="a"; name="b"\r\n\r\n1')],
    ['a name in two spellings', TYPE, body('Content-Disposition: form-data; name="a"; name*=utf-8\'\'b\r\n\r\n1')],
    ['a second disposition', TYPE, body(`Content-Disposition: form-data; name="a"\r\n${field('b', '1')}`)],
    ['a folded field', TYPE, body('Content-Disposition: form-data;\r\n name="a"\r\n\r\n1')],
    [
      'a coded part',
      TYPE,
      body('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ=='),
    ],
    ['no boundary', 'multipart/form-data', body(field('a', '1'))],
    ['two boundaries', `${TYPE}; boundary=abc`, body(field('a', '1'))],
    ['another boundary', 'multipart/form-data; boundary=abc', body(field('a', '1'))],
  ])('%s is not read', (_, type, bytes) => {
    expect(readMultipart(type, bytes)).toBeNull();
    expect(detector.inspectMultipart(type, bytes)).toBeNull();
  });

  test('arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('--xyz', '\r\n', '--', field('a', '1'), 'x', '\0', '"', ';')), (pieces) => {
        const parts = readMultipart(TYPE, Buffer.from(pieces.join('')));
        expect(parts === null || Array.isArray(parts)).toBe(true);
      }),
    );
  });
});

describe('attacks', () => {
  test.each([
    [field('id', "1' OR '1'='1"), 'sql', '/id'],
    [field('user[$ne]', 'x'), 'nosql', '/user[$ne]'],
    [
      `${field('meta', '').replace('\r\n\r\n', '\r\nContent-Type: application/json\r\n\r\n')}{"id":"1 or 1=1"}`,
      'sql',
      '/meta/id',
    ],
    [field('meta', '{"q":"; cat /etc/passwd"}'), 'command', '/meta/q'],
    [file('../../../etc/cron.d/x'), 'path-traversal', '/file/filename'],
  ])('%j is found', (part, kind, pointer) => {
    expect(detector.inspectMultipart(TYPE, body(field('ok', 'fine'), part))?.[0]).toMatchObject({
      kind,
      pointer,
      in: 'body',
    });
  });

  test.each([
    ['an issue with SQL in its text', field('body', "The query SELECT * FROM users WHERE id = '1' OR '1'='1' is slow")],
    ['a script in a file', file('deploy.sh', '#!/bin/sh\nrm -rf /tmp/x; cat /etc/passwd')],
    ['a file called by a person', file("O'Brien – report (final).pdf")],
    ['a title', field('title', "Don't select from drop-down; it's slow")],
  ])('%s passes', (_, part) => {
    expect(detector.inspectMultipart(TYPE, body(part))).toEqual([]);
  });
});
