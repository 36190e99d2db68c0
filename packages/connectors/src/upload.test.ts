import { expect, test } from 'vitest';
import { buildRequest, requestTemplate } from './request-template.ts';

/** Bytes of a file go out as they are, after what the tool is told of it (RFC 2387). */

const template = requestTemplate.parse({
  method: 'POST',
  path: '/upload',
  upload: { json: { name: '{input.name}', parents: '{input.parents}' }, mediaType: '{input.media}' },
});
const AT = { url: 'https://tool.example' };
const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 31 + (at >> 5)) % 256);

function build(file: unknown, media = 'application/pdf') {
  const built = buildRequest(template, { input: { name: 'offer.pdf', media }, file }, AT);
  const boundary = built?.headers['content-type']?.split('boundary=')[1] ?? '';
  return { built, boundary, body: Buffer.from(built?.body ?? '') };
}

test('the bytes arrive equal, with name and type before them', () => {
  const { boundary, body } = build(bytes);
  const [, told = '', sent = ''] = body.toString('latin1').split(`--${boundary}`);
  expect(told).toContain('{"name":"offer.pdf"}');
  expect(sent.startsWith('\r\ncontent-type: application/pdf\r\n\r\n')).toBe(true);
  const file = Buffer.from(sent.slice(sent.indexOf('\r\n\r\n') + 4, -2), 'latin1');
  expect(file.equals(Buffer.from(bytes))).toBe(true);
  expect(body.toString('latin1').endsWith(`--${boundary}--\r\n`)).toBe(true);
});

test('a file that holds its own boundary gets another', () => {
  const { boundary } = build(bytes);
  const again = build(Buffer.from(boundary));
  expect(again.boundary).not.toBe(boundary);
  expect(build(bytes).boundary).toBe(boundary);
});

test('a type can end no header', () => {
  const { body } = build(Uint8Array.of(1), 'text/plain\r\nx-evil: 1');
  expect(body.toString('latin1')).not.toContain('\r\nx-evil');
});

test.each([[undefined], ['text'], [null]])('without bytes (%s) there is nothing to ask for', (file) => {
  expect(build(file).built).toBeNull();
});

test('an empty file is one', () => {
  expect(build(new Uint8Array(0)).built).not.toBeNull();
});
