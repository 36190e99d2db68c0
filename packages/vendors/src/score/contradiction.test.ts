import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { contradict, loadRules, type Observation, type Statement } from './contradiction.ts';
import { loadRegions } from './regions.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const rules = loadRules(CONTENT);
const regions = loadRegions(CONTENT);

const said = (question: string, ...answers: string[]): Statement => ({
  questionnaireId: 'q',
  questionId: '1',
  question,
  answers,
  link: null,
});
const registered = (...answers: string[]): Statement => ({
  questionnaireId: null,
  questionId: null,
  question: '',
  answers,
  link: null,
});
const seen = (kind: Observation['kind'], region?: string): Observation => ({
  kind,
  key: 'api.vendor.example',
  text: 'seen',
  link: null,
  at: 1,
  ...(region === undefined ? {} : { region }),
});

test.each<[string, Statement, Observation, string[]]>([
  ['TLS 1.0 against HTTPS-only', said('HTTPS-only', 'Yes'), seen('tls_old'), ['old-tls']],
  [
    'TLS 1.0 against the CAIQ',
    said('Are data at-rest and in-transit cryptographically protected?', 'Yes'),
    seen('tls_old'),
    ['old-tls'],
  ],
  ['an honest No', said('HTTPS-only', 'No'), seen('tls_old'), []],
  ['another question', said('Training', 'Yes'), seen('tls_old'), []],
  ['plain HTTP', said('Do you use TLS for all connections?', 'Yes'), seen('plaintext'), ['plaintext']],
  [
    'a static key',
    said('Are API keys rotated at least every 90 days?', 'Yes, all'),
    seen('static_key'),
    ['static-key'],
  ],
  [
    'the CAIQ on rotation',
    said('Are cryptographic keys rotated based on a cryptoperiod?', 'Yes'),
    seen('static_key'),
    ['static-key'],
  ],
  ['data outside a region', said('In which regions is data stored?', 'EU'), seen('region', 'US'), ['outside-region']],
  ['data in a part of the region', said('In which regions is data stored?', 'EU'), seen('region', 'DE'), []],
  ['the register', registered('Germany', 'eu-west-1'), seen('region', 'US'), ['outside-region']],
  ['one of several', registered('EU', 'United States'), seen('region', 'US'), []],
  ['a region that nobody knows', registered('Mars'), seen('region', 'US'), []],
])('%s', (_, statement, observation, expected) => {
  expect(contradict([statement], [observation], rules, regions).map(({ rule }) => rule)).toEqual(expected);
});

test('one finding holds everything that contradicts one answer', () => {
  const two = [seen('tls_old'), { ...seen('tls_old'), key: 'other.vendor.example' }];
  const found = contradict([said('HTTPS-only', 'Yes')], two, rules, regions);
  expect(found.map(({ evidence }) => evidence.length)).toEqual([2]);
});

test.each([
  ['s3.eu-central-1.amazonaws.com', 'DE'],
  ['api.eu.vendor.com', 'EU'],
  ['vendor-us-east-1.example.com', 'US'],
  ['api.us.vendor.com', 'US'],
  ['vendor.us', null],
  ['eu.com', null],
  ['status.vendor.com', null],
  ['europium.vendor.com', null],
])('host %s lies in %s', (host, region) => {
  expect(regions.ofHost(host)).toBe(region);
});

test.each([
  ['AWS eu-central-1 (Frankfurt)', 'DE'],
  ['Dublin, Ireland', 'IE'],
  ['USA', 'US'],
  ['European Union', 'EU'],
  ['somewhere', null],
])('%s means %s', (text, region) => {
  expect(regions.named(text)).toBe(region);
});
