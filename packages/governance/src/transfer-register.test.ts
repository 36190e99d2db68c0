import { expect, test } from 'vitest';
import { dpvOf } from './dpv.ts';
import type { Flow } from './flow-store.ts';
import { activityOf, subjectKey } from './processing-record.ts';
import { loadTaxonomy } from './taxonomy.ts';
import { articleOf, dpvTermOf, TRANSFER_INSTRUMENTS } from './transfer-instrument.ts';
import { countryOf, kindOfRegion, transferOf, transfersCsv } from './transfer-register.ts';

const { regions, dpv } = loadTaxonomy();
const flow: Flow = {
  id: 'f1',
  from: { app: 'crm', object: 'customer' },
  to: { app: 'chat', object: 'message' },
  integration: { id: 'i1', name: 'Sync' },
  how: 'inferred',
  fields: { text: 1 },
  categories: ['user.contact.email', 'user.name.first', 'system.operations'],
  label: 'confidential',
  records: 3,
  bytes: 10,
  calls: 1,
  regions: { from: 'eu-central-1', to: 'India' },
  vendor: 'Chat Inc',
  vendors: { from: null, to: 'Chat Inc' },
  purpose: 'Support',
  legalBasis: 'contract',
  safeguard: null,
  instrument: null,
  importer: null,
  assessment: null,
  firstSeen: new Date(0),
  lastSeen: new Date(0),
};
const subjects = new Map([[subjectKey('crm', 'customer'), ['customer']]]);
const of = (more: Partial<Flow>) => transferOf({ ...flow, ...more }, subjects, regions);

test.each([
  ['eu-central-1', 'eu', 'eea'],
  ['eu-west-2', 'gb', 'adequate'],
  ['EU', 'eu', 'eea'],
  ['DE', 'de', 'eea'],
  ['Germany', 'de', 'eea'],
  ['us-east-1', 'us', 'adequate'],
  ['uk', 'gb', 'adequate'],
  ['India', 'in', 'third'],
  ['ap-south-1', null, 'unknown'],
  ['the moon', null, 'unknown'],
])('%s lies in %s: %s', (region, country, kind) => {
  expect([countryOf(regions, region), kindOfRegion(regions, region)]).toEqual([country, kind]);
});

const ROWS: readonly [name: string, more: Partial<Flow>, missing: string[] | null][] = [
  ['to a third country without a word', {}, ['safeguard']],
  ['with clauses and no assessment', { instrument: 'standard contractual clauses' }, ['transfer assessment']],
  ['with both', { instrument: 'standard contractual clauses', assessment: 'TIA-4' }, []],
  ['by consent', { instrument: 'derogation: explicit consent' }, []],
  ['on an adequacy decision', { regions: { from: 'eu', to: 'jp' }, instrument: 'adequacy decision' }, []],
  ['to nobody knows where', { regions: { from: 'eu', to: null } }, ['region of chat: message']],
  ['to nobody knows whom', { vendors: { from: null, to: null } }, ['importer', 'safeguard']],
  ['within the EEA', { regions: { from: 'us', to: 'ie' } }, null],
  ['within one country', { regions: { from: 'us-east-1', to: 'us-west-2' } }, null],
  ['no personal data', { categories: ['system.operations'] }, null],
  ['only possible', { how: 'possible' }, null],
];
test.each(ROWS)('a flow %s', (_name, more, missing) => {
  expect(of(more)?.missing ?? null).toEqual(missing);
});

test('the register names parties, article and what an adequacy decision is limited to', () => {
  const row = of({ regions: { from: 'eu', to: 'us' }, instrument: 'adequacy decision', importer: 'Chat US LLC' });
  expect(row).toMatchObject({
    exporter: 'crm',
    importer: 'Chat US LLC',
    article: 'Art. 45(3)',
    destination: 'adequate',
  });
  expect(row?.note).toContain('Data Privacy Framework');
  const [head, first] = transfersCsv(row ? [row] : []).split('\r\n');
  expect(head).toMatch(/^exporter,importer,integration,source,recipient,from_region,to_region/);
  expect(first).toMatch(/^crm,Chat US LLC,Sync,crm: customer,chat: message,eu,us,adequate,/);
});

test('every instrument has an article and a term', () => {
  expect(TRANSFER_INSTRUMENTS.map((one) => [articleOf(one), dpvTermOf(one)])).toContainEqual([
    'Art. 46(2)(c)',
    'A46-2-c',
  ]);
  expect(new Set(TRANSFER_INSTRUMENTS.map(dpvTermOf)).size).toBe(TRANSFER_INSTRUMENTS.length);
});

test('DPV: a flow is a process in the terms of the vocabulary, its parties named once', () => {
  const given: Flow = { ...flow, instrument: 'standard contractual clauses' };
  const activity = activityOf(given, subjects, []);
  const transfer = transferOf(given, subjects, regions);
  const document = dpvOf(
    activity ? [activity, { ...activity, flowId: 'f2' }] : [],
    transfer ? [transfer] : [],
    new Map([['f1', 'i1']]),
    { terms: dpv, regions },
  );
  const [first, second] = document['@graph'];
  expect(first).toMatchObject({
    '@id': 'urn:cordon:flow:f1',
    '@type': 'dpv:Process',
    'dpv:hasPurpose': { '@type': 'dpv:Purpose', 'dct:description': 'Support' },
    'dpv:hasLegalBasis': [{ '@id': 'eu-gdpr:A6-1-b' }, { '@id': 'eu-gdpr:A46-2-c' }],
    'dpv:hasPersonalData': [{ '@id': 'pd:EmailAddress' }, { '@id': 'pd:Name' }],
    'dpv:hasDataSubject': [{ '@id': 'dpv:Customer' }],
    'dpv:hasThirdCountry': { '@id': 'loc:IN' },
    'dpv:hasDataImporter': { '@id': 'urn:cordon:entity:Chat%20Inc' },
  });
  expect(second).not.toHaveProperty('dpv:hasThirdCountry');
  const ids = document['@graph'].map((node) => node['@id']);
  expect(new Set(ids).size).toBe(ids.length);
  const prefixes = new Set(JSON.stringify(document['@graph']).match(/"(?:dpv|pd|loc|eu-gdpr|dct)(?=:)/g));
  expect([...prefixes].map((one) => one.slice(1)).every((one) => one in document['@context'])).toBe(true);
});
