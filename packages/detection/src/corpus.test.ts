import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { loadRules } from './load-rules.ts';
import { createMatcher } from './matcher.ts';
import { loadParsers } from './parser/load-parsers.ts';

const content = fileURLToPath(new URL('../../../content/', import.meta.url));
const corpus = fileURLToPath(new URL('../../../../shared/corpora/detections/', import.meta.url));
const absent = !existsSync(corpus);

vi.setConfig({ testTimeout: 60_000 });

const SHARE_MIN = 0.95;
const DESCRIBED = 468;

const described = z.looseObject({ rule_id: z.string() });
const sample = z.looseObject({
  rule_id: z.string(),
  log_type: z.string(),
  test_name: z.string(),
  expected: z.boolean(),
  log: z.record(z.string(), z.unknown()),
});

async function rows<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(corpus + file, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)));
}

/** Events that we judge otherwise than their label, with the reason. */
const disputed: Readonly<Record<string, string>> = {
  'Azure.Audit.LegacyAuth: Sign-In with legacy auth, KNOWN_EXCEPTION':
    'the exempt account is one that a customer configures',
  'Microsoft365.External.Document.Sharing: Allowed Domain': 'the allowed domain is one that a customer configures',
  'Microsoft365.External.Document.Sharing: Allowed Folder': 'the allowed folder is one that a customer configures',
  'Microsoft365.External.Document.Sharing: Allowed User': 'the allowed person is one that a customer configures',
  'OnePassword.Lut.Sensitive.Item: 1Password - Sensitive Item Accessed':
    'the item is on a list that a customer configures',
  'OnePassword.Sensitive.Item: 1Password - Sensitive Item Accessed': 'the item is on a list that a customer configures',
  'Standard.ImpossibleTravel.Login: First hit from VPN should not fail':
    'one event alone can only be the signal; the travel is a correlation',
  'Teleport.LocalUserLoginWithoutMFA: User logged in without MFA':
    'the description says that this is what is to be found',
};

// Prints "skipped: corpora absent" where the folder isn't there.
test.skipIf(absent)(`labelled events${absent ? ' (skipped: corpora absent)' : ''}`, async () => {
  const parsers = await loadParsers(`${content}parsers`);
  const { rules, correlations } = await loadRules(`${content}detections`, parsers);
  const matcher = createMatcher(rules, correlations);
  const samples = await rows('samples.jsonl', sample);
  const wrong = samples.filter((one) => {
    const signals = parsers.normalise(one.log_type, one.log).flatMap((event) => matcher.match(event));
    return signals.some((signal) => signal.covers.includes(one.rule_id)) !== one.expected;
  });
  expect(wrong.map((one) => `${one.rule_id}: ${one.test_name}`).filter((name) => disputed[name] === undefined)).toEqual(
    [],
  );
  expect(1 - wrong.length / samples.length).toBeGreaterThanOrEqual(SHARE_MIN);
});

test.skipIf(absent)(`covered descriptions${absent ? ' (skipped: corpora absent)' : ''}`, async () => {
  const { rules } = await loadRules(`${content}detections`);
  const known = new Set((await rows('rules.jsonl', described)).map((one) => one.rule_id));
  const covered = rules.flatMap((rule) => rule.covers);
  expect(covered.filter((id) => !known.has(id))).toEqual([]);
  expect(covered).toHaveLength(DESCRIBED);
});
