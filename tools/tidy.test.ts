import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What linters cannot hold: boundaries, names, sizes, and where the environment is read. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINES_MAX = 500;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 64e6,
})
  .split('\n')
  .filter((file) => file !== '' && statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());
const sources = files.filter((file) => /\.tsx?$/.test(file) && !file.includes('/generated/'));
const code = sources.filter((file) => !/\.test\.tsx?$/.test(file));
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Longer than the limit, each with its reason. */
const LONG: Readonly<Record<string, string>> = {};

test('no source file is longer than a reader can hold', () => {
  const long = sources.filter((file) => text(file).split('\n').length - 1 > LINES_MAX && !(file in LONG));
  expect(long).toEqual([]);
});

test('folders are named for what they hold', () => {
  const vague = sources.filter((file) => /(^|\/)(utils?|helpers?|common|shared|types)(\/|\.tsx?$)/.test(file));
  expect(vague).toEqual([]);
});

test('files are kebab-case, components PascalCase', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(db|corpora|bench|generated))*(\.test)?\.ts$/;
  const pascal = /^([A-Z][A-Za-z0-9]*|main|router)(\.test)?\.tsx$/;
  const odd = sources.filter((file) => !(file.endsWith('.tsx') ? pascal : kebab).test(basename(file)));
  expect(odd.filter((file) => !file.endsWith('.d.ts') && !file.endsWith('.config.ts'))).toEqual([]);
});

test('an index.ts is a package entry and lists names', () => {
  const indexes = sources.filter((file) => basename(file) === 'index.ts');
  expect(indexes.filter((file) => !/^((packages|apps)\/[a-z]+|demo)\/src\/index\.ts$/.test(file))).toEqual([]);
  expect(code.filter((file) => /^export \*/m.test(text(file)))).toEqual([]);
});

test('packages are entered by their entry, never by a path', () => {
  const deep = sources.filter((file) => /from '@cordon\/[a-z]+\/(?!testing')/.test(text(file)));
  expect(deep).toEqual([]);
  const across = sources.filter((file) => {
    const home = file.split('/').slice(0, 2).join('/');
    const imports = [...text(file).matchAll(/from '(\.\.?\/[^']+)'/g)].map((match) => match[1] ?? '');
    return imports.some(
      (path) =>
        !join(dirname(file), path).startsWith(
          home.startsWith('packages') || home.startsWith('apps') ? home : (home.split('/')[0] ?? ''),
        ),
    );
  });
  expect(across).toEqual([]);
});

const allowed =
  (...patterns: RegExp[]) =>
  (file: string): boolean =>
    !patterns.some((pattern) => pattern.test(file));

test('only the composition root reads the environment', () => {
  const readers = code.filter((file) => /process\.env\b|[{,]\s*env\s*}\s*=\s*process\b/.test(text(file)));
  const elsewhere = readers.filter(
    allowed(/^apps\/server\/src\/main\.ts$/, /^tools\//, /^bench\//, /^e2e\//, /\/testing\.ts$/),
  );
  expect(elsewhere).toEqual([]);
});

/** Which packages a package may use; everything points towards the kernel. */
const DIRECTION: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  classifier: [],
  openapi: [],
  policy: [],
  injection: [],
  posture: [],
  client: [],
  lake: ['kernel'],
  detection: ['kernel'],
  connectors: ['kernel', 'posture'],
  governance: ['kernel', 'classifier', 'openapi'],
  identity: ['kernel', 'lake', 'policy'],
  estate: ['kernel', 'openapi', 'policy'],
  vendors: ['kernel'],
  dlp: ['kernel', 'classifier', 'policy'],
  detectors: ['kernel', 'classifier'],
  proof: ['kernel'],
  lifecycle: ['kernel'],
  discovery: ['kernel'],
  enrichment: ['kernel'],
  review: ['kernel'],
  incidents: ['kernel'],
  backup: ['kernel'],
  drills: ['kernel', 'detection'],
  webhooks: ['kernel', 'policy'],
  gateway: ['kernel', 'classifier', 'injection', 'lake', 'openapi', 'policy'],
};

test('packages depend only where the design lets them', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const from = /^packages\/([a-z]+)\//.exec(file)?.[1];
    if (from === undefined) continue;
    for (const [, to = ''] of text(file).matchAll(/from '@cordon\/([a-z]+)/g)) {
      if (to !== from && !DIRECTION[from]?.includes(to)) wrong.push(`${file} uses ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no paths of a machine and no registry host names are in the repository', () => {
  const hosts = ['npmjs', 'debian', 'yarnpkg'].flatMap((name) => [
    `registry.${name}.org`,
    `deb.${name}.org`,
    `${name}.com/`,
  ]);
  const homes = /(^|[\s'"`(=])\/home\/[a-z]/m;
  const found = files
    .filter((file) => !/\.(png|woff2?|gz|pdf|ico)$/.test(file))
    .filter((file) => homes.test(text(file)) || hosts.some((host) => text(file).includes(host)));
  expect(found).toEqual([]);
});

test('every package and every folder of content says what it is', () => {
  const packages = new Set(
    files.map((file) => /^packages\/[a-z]+\//.exec(file)?.[0]).filter((name) => name !== undefined),
  );
  expect([...packages].filter((name) => !files.includes(`${name}README.md`))).toEqual([]);
});
