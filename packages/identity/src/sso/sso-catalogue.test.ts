import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fillIn, loadSsoCatalogue } from './sso-catalogue.ts';

const FOLDER = new URL('../../../../content/sso/', import.meta.url);
const entries = await loadSsoCatalogue(FOLDER);
/** What the steps and settings may name besides the entry's own fields. */
const OURS = [
  'oidcIssuer',
  'samlEntityId',
  'samlMetadataUrl',
  'samlSsoUrl',
  'samlSloUrl',
  'clientId',
  'clientSecret',
  'certificate',
];

function namesIn(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/\{([A-Za-z_]+)\}/g)].map(([, name = '']) => name);
}

test('there are at least twenty-five tools, each with a file of its name', async () => {
  expect(entries.length).toBeGreaterThanOrEqual(25);
  const files = (await readdir(FOLDER))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace('.yaml', ''));
  expect(entries.map(({ app }) => app).toSorted()).toEqual(files.toSorted());
});

describe.each(entries.map((entry) => [entry.app, entry] as const))('%s', (_app, entry) => {
  test('asks for every field that it uses, and uses every field that it asks for', () => {
    const used = new Set(namesIn([entry.settings, entry.steps, entry.launchUrl ?? '', entry.notes]));
    const asked = entry.fields.map(({ name }) => name);
    expect([...used].filter((name) => !OURS.includes(name)).toSorted()).toEqual(asked.toSorted());
  });

  test('tells what to enter at the tool', () => {
    const told = new Set(namesIn(entry.steps));
    const wanted = entry.protocol === 'oidc' ? ['oidcIssuer', 'clientId'] : ['samlMetadataUrl', 'samlSsoUrl'];
    expect(wanted.some((name) => told.has(name))).toBe(true);
    expect(entry.sources.every((source) => new URL(source).pathname.length > 1)).toBe(true);
  });
});

test('fills in what is given and leaves the rest', () => {
  const filled = fillIn({ url: 'https://{team}.example/{other}', list: ['{team}', 1] }, { team: 'acme' });
  expect(filled).toEqual({ url: 'https://acme.example/{other}', list: ['acme', 1] });
});
