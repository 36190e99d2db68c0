import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type CaseParts, stixBundle } from './stix-export.ts';

const FOLDER = fileURLToPath(new URL('../../testdata/stix/schemas', import.meta.url));
const AT = Date.UTC(2026, 10, 23, 12);
const PARTS: CaseParts = {
  of: {
    id: '019ab000-0000-7000-8000-000000000001',
    number: 7,
    title: 'Token stolen',
    summary: 'It stood in a log.',
    severity: 'high',
    status: 'closed',
    tlp: 'amber+strict',
    origin: 'alert',
    statusPage: '',
    roles: {},
    review: null,
    occurredAt: AT,
    detectedAt: AT + 1_000,
    acknowledgedAt: AT + 2_000,
    containedAt: AT + 3_000,
    notifiedAt: null,
    recoveredAt: AT + 4_000,
    closedAt: AT + 5_000,
    createdAt: AT,
    updatedAt: AT + 5_000,
  } as CaseParts['of'], // what the export doesn't read is left out
  links: [
    { kind: 'person', ref: 'p1', name: 'Eve' },
    { kind: 'vendor', ref: 'v1', name: 'Example Ltd.' },
    { kind: 'app', ref: 'a1', name: 'crm' },
    { kind: 'integration', ref: 'i1', name: 'crm-sync' },
    { kind: 'alert', ref: 'al1', name: 'Odd call' },
  ] as unknown as CaseParts['links'], // the same
  evidence: [
    { id: 'e1', name: 'log.txt', mediaType: 'text/plain', bytes: 4, sha256: 'a'.repeat(64) },
  ] as unknown as CaseParts['evidence'], // the same
  tasks: [],
};
const bundleSchema = z.object({
  type: z.literal('bundle'),
  objects: z.array(z.looseObject({ type: z.string(), id: z.string() })),
});
const objectsOf = () => bundleSchema.parse(structuredClone(stixBundle(PARTS))).objects;

/** OASIS' schemas: each object by the one of its type, the bundle by its own. */
const ajv = new Ajv2020({ strict: false, validateFormats: false, unicodeRegExp: false });
const schemas = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json'))
  .map((name) => z.looseObject({ $id: z.string() }).parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))));
for (const schema of schemas) ajv.addSchema(schema);
const errorsOf = (type: string, value: unknown) => {
  const id = schemas.find(({ $id }) => $id.endsWith(`/${type}.json`))?.$id ?? '';
  const check = ajv.getSchema(id);
  return check?.(value) === true ? [] : (check?.errors ?? [`no schema for ${type}`]);
};

test.each([...new Set(objectsOf().map(({ type }) => type))])('every %s holds to the schema of OASIS', (type) => {
  for (const object of objectsOf().filter((one) => one.type === type)) expect(errorsOf(type, object)).toEqual([]);
});

test('the bundle holds to the schema of OASIS, and the schema finds what is wrong', () => {
  // The list of OASIS' schema for bundles forgot the incident, which has a schema of its own.
  const objects = objectsOf().filter(({ type }) => type !== 'incident');
  expect(errorsOf('bundle', { ...structuredClone(stixBundle(PARTS)), objects })).toEqual([]);
  const [incident] = objectsOf().filter(({ type }) => type === 'incident');
  expect(errorsOf('incident', { ...incident, id: 'incident--019ab000-0000-7000-8000-000000000001' })).not.toEqual([]);
  expect(errorsOf('incident', { ...incident, name: undefined })).not.toEqual([]);
});

const FILE_ID = 'file--1ac71e9a-c1e3-5aa2-8e0f-d88bd90575f0';
const ACCOUNT_ID = 'user-account--ac68f3fe-a45f-55c6-8436-dfba51e60f30';

test('ids of observables are those that any producer gives (STIX 2.1, section 2.9)', () => {
  const ids = Object.fromEntries(objectsOf().map(({ type, id }) => [type, id]));
  // Computed apart, with Python's uuid5 over the canonical JSON of the contributing properties.
  expect(ids['file']).toBe(FILE_ID);
  expect(ids['user-account']).toBe(ACCOUNT_ID);
  expect(objectsOf().map(({ id }) => id)).toEqual(objectsOf().map(({ id }) => id));
});
