import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadManifests } from './load-manifest.ts';
import { testConnector } from './recording.ts';

const folder = fileURLToPath(new URL('../../../content/connectors', import.meta.url));
const manifests = await loadManifests(folder);

test('every manifest can be read', () => {
  expect(manifests.problems).toEqual([]);
  expect(manifests.all.length).toBeGreaterThan(0);
});

describe.each(manifests.all.map((one) => [one.manifest.app, one] as const))('%s', (app, { manifest }) => {
  test('says for each scope what it opens', () => {
    const risky = manifest.scopes.filter((scope) => scope.risk === 'high' || scope.risk === 'critical');
    expect(risky.filter((scope) => scope.classes.length + scope.operations.length === 0)).toEqual([]);
  });

  test('hands audit events to parsers that exist', () => {
    const parsers = Object.values(manifest.streams).flatMap(({ parser }) => (parser === undefined ? [] : [parser]));
    const missing = parsers.filter((one) => !existsSync(new URL(`../../../content/parsers/${one}`, import.meta.url)));
    expect(missing).toEqual([]);
  });

  test('has a test stream, and evidence that a claim of emulation can rest on', () => {
    expect(manifest.test).toBeDefined();
    expect(manifest.evidence === 'described' || /emulat|record/i.test(manifest.evidenceNote)).toBe(true);
  });

  test('emits from its recordings exactly what is expected', async () => {
    const tests = await testConnector(folder, app);
    expect(tests.length).toBeGreaterThan(0);
    for (const { streams, actions } of tests) {
      for (const stream of streams) {
        const { stream: name, entities, notVisible, hidden, problems, expected } = stream;
        expect({ name, problems }).toEqual({ name, problems: [] });
        const emitted = notVisible === null ? { entities, ...(hidden.length > 0 ? { hidden } : {}) } : { notVisible };
        expect({ name, ...emitted }).toEqual({ name, ...(expected as object) });
      }
      for (const one of actions) {
        expect({ ...one, expected: undefined, expectedWrites: undefined }).toMatchObject({
          outcome: one.expected,
          writes: one.expectedWrites,
        });
      }
    }
  });
});
