import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { splitPath, textsAt } from '../field-path.ts';
import { loadParsers } from './load-parsers.ts';

const folder = fileURLToPath(new URL('../../../../content/parsers/', import.meta.url));
const parsers = await loadParsers(folder);

const samples = z.array(
  z.strictObject({
    stream: z.string(),
    record: z.record(z.string(), z.unknown()),
    /** OCSF path -> value. */
    expect: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
);

async function samplesOf(product: string): Promise<z.infer<typeof samples>> {
  return samples.parse(parse(await readFile(join(folder, product, 'samples.yaml'), 'utf8')));
}

test.each(parsers.products)(
  '$product: every stream has a sample and gives what it says',
  async ({ product, streams }) => {
    const beside = await samplesOf(product);
    expect(beside.map(({ stream }) => stream).toSorted()).toEqual(streams.map(({ service }) => service).toSorted());
    for (const { stream, record, expect: expected } of beside) {
      const [event] = parsers.normalise(`${product}/${stream}`, record);
      const found = Object.keys(expected).map((path) => [path, textsAt(event?.ocsf, splitPath(path))[0]]);
      expect(Object.fromEntries(found)).toEqual(
        Object.fromEntries(Object.entries(expected).map(([path, value]) => [path, String(value)])),
      );
    }
  },
);

test.each(parsers.products)('$product: a record is told from the product alone', async ({ product }) => {
  for (const { stream, record } of await samplesOf(product)) {
    expect(parsers.normalise(product, record)[0]?.service).toBe(stream);
  }
});

// OCSF base attributes that every event must have (schema.ocsf.io, base_event).
test.each(parsers.products)('$product: events have what OCSF asks of all', async ({ product }) => {
  for (const { stream, record } of await samplesOf(product)) {
    const [event] = parsers.normalise(`${product}/${stream}`, record);
    expect(event?.ocsf).toMatchObject({
      class_uid: expect.any(Number),
      category_uid: expect.any(Number),
      activity_id: expect.any(Number),
      type_uid: expect.any(Number),
      severity_id: expect.any(Number),
      time: expect.any(Number),
      metadata: { version: expect.any(String), product: { uid: product } },
    });
  }
});
