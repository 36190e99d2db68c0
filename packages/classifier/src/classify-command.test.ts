import { describe, expect, test } from 'vitest';
import { classifyCommand, type ClassifyOptions } from './classify-command.ts';
import { InputInvalid } from './errors.ts';

async function* chunksOf(text: string, size = 7): AsyncIterable<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function run(text: string, options: ClassifyOptions): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of classifyCommand(chunksOf(text), options)) lines.push(line);
  return lines;
}

describe('classify', () => {
  test('prints characters and bytes for each finding', async () => {
    const text = 'grüße 🙂 jo@acme-widgets.io';
    const [line = ''] = await run(text, { json: true });
    const found: unknown = JSON.parse(line);
    expect(found).toMatchObject({ type: 'email', start: 8, end: 26, startByte: 13, endByte: 31 });
    expect(Array.from(text).slice(8, 26).join('')).toBe('jo@acme-widgets.io');
  });

  test('without JSON gives a line for people that does not show the value', async () => {
    const [line = ''] = await run('card 4111 1111 1111 1111', {});
    expect(line).toMatch(/^5-24\tpayment-card\t0\.\d+\t\*+1111\t/);
  });

  test('batch mode answers line for line, with ids and fields', async () => {
    const rows = [
      { text: 'SSN 536-90-4399', id: 'a' },
      { text: '12 Mill Lane', key: 'shipping.address.line1' },
      { text: 'nothing' },
      { key: 'email_verified', text: 'true' },
    ];
    const lines = await run(rows.map((row) => JSON.stringify(row)).join('\n'), { batch: true });
    const parsed = lines.map((line): unknown => JSON.parse(line));
    expect(parsed).toMatchObject([
      { index: 0, id: 'a', findings: [{ type: 'us-ssn', start: 4, end: 15 }] },
      { index: 1, field: { category: 'user.contact.address.street' }, findings: [{ type: 'street-address' }] },
      { index: 2, findings: [] },
      { index: 3, field: { category: 'system.operations' }, findings: [] },
    ]);
  });

  test('a bare value is tried against every checksum, and its confidence says that it is a guess', async () => {
    const [line = ''] = await run('{"text":"005 499 981"}', { batch: true });
    const parsed: unknown = JSON.parse(line);
    expect(parsed).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ type: 'au-acn' })]) });
  });

  test.each(['{"text":', '[]', '{"id":1}'])('a line %j is refused by its number', async (line) => {
    await expect(run(`{"text":"x"}\n${line}`, { batch: true })).rejects.toThrow(InputInvalid);
  });
});
