import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Attestation, attestationFacts, standingOf } from './attestation.ts';
import { loadAttestationKinds } from './kind.ts';
import { validityOf } from './validity.ts';
import { attestationWarnings } from './warnings.ts';
import { readDay } from './written-day.ts';

const kinds = loadAttestationKinds(fileURLToPath(new URL('../../../../content/', import.meta.url)));
let made = 0;

function attest(
  kindId: string,
  facts: Record<string, unknown>,
  state: Attestation['state'] = 'confirmed',
): Attestation {
  const kind = kinds.find(({ id }) => id === kindId);
  if (!kind) throw new Error(`no kind ${kindId}`);
  const parsed = attestationFacts.parse(facts);
  const { validFrom, validUntil } = validityOf(kind, parsed);
  made += 1;
  return {
    id: `a${made}`,
    vendorId: 'v',
    fileId: null,
    kind: kindId,
    title: kindId,
    state,
    reading: { characters: 0, kinds: [], proposals: [], remarks: [] },
    facts: parsed,
    validFrom,
    validUntil,
    note: '',
    decidedBy: null,
    decidedAt: null,
    createdBy: 'Ada',
    createdAt: 0,
  };
}
const soc2 = (periodStart: string, periodEnd: string, more = {}) =>
  attest('soc2-type2', { periodStart, periodEnd, ...more });
const bridge = (periodStart: string, periodEnd: string) => attest('bridge-letter', { periodStart, periodEnd });
const first = ['2024-01-01', '2024-12-31'] as const;
const second = ['2025-03-01', '2026-02-28'] as const;

test.each<[string, Attestation[], string, string[]]>([
  ['periods that touch', [soc2(...first), soc2('2025-01-01', '2025-12-31')], '2026-01-15', []],
  ['periods that overlap', [soc2(...first), soc2('2024-10-01', '2025-09-30')], '2025-10-15', []],
  ['a gap', [soc2(...first), soc2(...second)], '2026-03-15', ['gap 2025-01-01 2025-02-28 open']],
  [
    'a gap that a letter covers',
    [soc2(...first), soc2(...second), bridge('2025-01-01', '2025-02-28')],
    '2026-03-15',
    ['gap 2025-01-01 2025-02-28 covered'],
  ],
  [
    'a gap that a letter covers in part',
    [soc2(...first), soc2(...second), bridge('2025-01-01', '2025-01-31')],
    '2026-03-15',
    ['gap 2025-02-01 2025-02-28 open'],
  ],
  [
    'a gap inside that two letters leave',
    [soc2(...first), soc2(...second), bridge('2025-01-01', '2025-01-10'), bridge('2025-02-01', '2025-02-28')],
    '2026-03-15',
    ['gap 2025-01-11 2025-01-31 open'],
  ],
  ['a letter of exactly three months', [soc2(...first), bridge('2025-01-01', '2025-03-31')], '2025-03-20', []],
  [
    'a letter that is longer',
    [soc2(...first), bridge('2025-01-01', '2025-06-30')],
    '2025-03-20',
    ['bridge_too_long 2025-04-01 2025-06-30 open'],
  ],
  [
    'a longer letter covers three months only',
    [soc2(...first), bridge('2025-01-01', '2025-06-30')],
    '2025-05-10',
    ['bridge_too_long 2025-04-01 2025-06-30 open', 'uncovered 2025-04-01 2025-05-10 open'],
  ],
  ['nothing since the last period', [soc2(...first)], '2025-06-01', ['uncovered 2025-01-01 2025-06-01 open']],
  ['three months have not passed', [soc2(...first)], '2025-04-02', []],
  [
    'a report that is expired',
    [attest('soc2-type1', { asOf: '2024-03-31' })],
    '2025-06-01',
    ['expired 2025-03-31 2025-06-01 open'],
  ],
  [
    'a certificate that ends soon',
    [attest('iso-27001', { issuedOn: '2023-05-14', expiresOn: '2026-05-13' })],
    '2026-04-01',
    ['expiring 2026-04-01 2026-05-13 open'],
  ],
  [
    'a certificate that was renewed',
    [
      attest('iso-27001', { issuedOn: '2023-05-14', expiresOn: '2026-05-13' }),
      attest('iso-27001', { issuedOn: '2026-05-01', expiresOn: '2029-04-30' }),
    ],
    '2026-06-01',
    [],
  ],
  [
    'a qualified opinion',
    [soc2('2025-01-01', '2025-12-31', { opinion: 'qualified' })],
    '2026-01-15',
    ['opinion 2025-01-01 2025-12-31 open'],
  ],
  ['what nobody confirmed', [attest('soc2-type1', { asOf: '2020-03-31' }, 'proposed')], '2025-06-01', []],
])('%s', (_, attestations, today, expected) => {
  const warnings = attestationWarnings(attestations, kinds, today);
  expect(
    warnings.map(({ kind, from, until, isCovered }) => `${kind} ${from} ${until} ${isCovered ? 'covered' : 'open'}`),
  ).toEqual(expected);
});

test.each([
  ['soc2-type2', { periodStart: '2025-01-01', periodEnd: '2025-12-31' }, '2026-12-31'],
  ['iso-27001', { issuedOn: '2024-05-14', expiresOn: '2027-05-13' }, '2027-05-13'],
  ['iso-27001', { issuedOn: '2024-05-14', expiresOn: '2027-05-14' }, '2027-05-14'],
  ['iso-27001', { issuedOn: '2024-05-14', expiresOn: '2034-05-13' }, '2027-05-13'],
  ['hitrust', { issuedOn: '2026-02-09', level: 'r2' }, '2028-02-08'],
  ['hitrust', { issuedOn: '2026-02-09', level: 'e1' }, '2027-02-08'],
  ['csa-star', { issuedOn: '2026-01-20', level: 'level 1' }, '2027-01-19'],
  ['bridge-letter', { periodStart: '2025-10-01', periodEnd: '2025-12-31' }, '2025-12-31'],
])('%s %o counts until %s', (kind, facts, until) => {
  const attestation = attest(kind, facts);
  expect(attestation.validUntil).toBe(until);
  expect(standingOf(attestation, until)).toBe('valid');
  expect(standingOf(attestation, '2040-01-01')).toBe('expired');
  expect(standingOf(attestation, '2000-01-01')).toBe('not_yet_valid');
});

test.each([
  ['March 31, 2026', '2026-03-31', false],
  ['31 March 2026', '2026-03-31', false],
  ['Sept. 1st, 2025', '2025-09-01', false],
  ['1-Oct-2025', '2025-10-01', false],
  ['the 3rd of May 2025'.slice(4), '2025-05-03', false],
  ['31.12.2025', '2025-12-31', false],
  ['12/31/2025', '2025-12-31', false],
  ['31/12/2025', '2025-12-31', false],
  ['04/03/2025', null, true],
  ['31 November 2025', null, false],
  ['2025-02-30', null, false],
])('%s is %s', (text, day, isAmbiguous) => {
  expect(readDay(text)).toEqual({ day, isAmbiguous });
});
