import { describe, expect, test } from 'vitest';
import { createIndicatorIndex, type ListedIndicator } from './indicator-index.ts';
import { observablesOf } from './observables.ts';
import { patternValues } from './stix.ts';
import { readThreatList } from './threat-list.ts';
import { parseUserAgent } from './user-agent.ts';

test.each([
  ["[ipv4-addr:value = '198.51.100.3']", [{ kind: 'address', value: '198.51.100.3' }]],
  ["[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [{ kind: 'address', value: '198.51.100.0/24' }]],
  [
    "[domain-name:value = 'Evil.Example.' OR url:value = 'https://evil.example/a']",
    [
      { kind: 'domain', value: 'evil.example' },
      { kind: 'url', value: 'https://evil.example/a' },
    ],
  ],
  [
    "[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]",
    [
      { kind: 'address', value: '192.0.2.1' },
      { kind: 'address', value: '192.0.2.2' },
    ],
  ],
  [
    "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    [{ kind: 'hash', value: 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f' }],
  ],
  // A quoted AND is a value, a bare one joins what only together means something.
  ["[email-addr:value = 'rock AND roll@example.com']", null],
  ["[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]", null],
  ["[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [domain-name:value = 'a.example']", null],
  ["[domain-name:value LIKE '%.example']", null],
  ["[ipv4-addr:value != '192.0.2.1']", null],
  ["[process:name = 'x']", null],
  ['', null],
])('the pattern %s', (pattern, values) => {
  expect(patternValues(pattern)).toEqual(values);
});

describe('a list', () => {
  test('of STIX: what is revoked goes, what no value can say is counted', () => {
    const objects = [
      {
        type: 'indicator',
        pattern: "[ipv4-addr:value = '192.0.2.1']",
        valid_until: '2026-12-01T00:00:00Z',
        name: 'C2',
      },
      { type: 'indicator', pattern: "[ipv4-addr:value = '192.0.2.2']", revoked: true },
      { type: 'indicator', pattern: 'alert tcp any any', pattern_type: 'snort' },
      { type: 'malware', name: 'x' },
    ];
    expect(readThreatList('stix', JSON.stringify({ type: 'bundle', objects }))).toEqual({
      indicators: [{ kind: 'address', value: '192.0.2.1', expiresAt: Date.UTC(2026, 11, 1), note: 'C2' }],
      skipped: 1,
    });
  });

  test('of CSV: by its heading, kinds named or seen', () => {
    const text = 'type,value,note,expires\nip,192.0.2.0/24,"Hosts, many",2026-12-01\n,Evil.Example,,\nmd5,nothing,,\n';
    expect(readThreatList('csv', text)).toEqual({
      indicators: [
        { kind: 'address', value: '192.0.2.0/24', expiresAt: Date.UTC(2026, 11, 1), note: 'Hosts, many' },
        { kind: 'domain', value: 'evil.example', expiresAt: null, note: '' },
      ],
      skipped: 1,
    });
  });

  test.each([
    ['stix', '{}'],
    ['stix', 'no json'],
    ['csv', 'a,b\n1,2\n'],
    ['lines', '# nothing\n'],
  ] as const)('of %s that is none: %j', (format, text) => {
    expect(() => readThreatList(format, text)).toThrow(/list|bundle|column/);
  });
});

const listed = (kind: ListedIndicator['kind'], value: string, expiresAt: number | null = null): ListedIndicator => ({
  kind,
  value,
  expiresAt,
  note: '',
  list: 'l',
  meaning: 'threat',
});

test.each([
  [{ src_endpoint: { ip: '198.51.100.9' } }, ['198.51.100.0/24']],
  [{ src_endpoint: { ip: '10.1.2.3' } }, ['10.0.0.0/8', '10.1.0.0/16']],
  [{ src_endpoint: { ip: '2001:DB8::1' } }, ['2001:db8:0:0::1']],
  [{ src_endpoint: { ip: '::ffff:203.0.113.1' } }, ['203.0.113.1']],
  [{ http_request: { url: { hostname: 'cdn.evil.example' } } }, ['evil.example']],
  [{ http_request: { url: { hostname: 'notevil.example' } } }, []],
  [{ actor: { user: { email_addr: 'Mallory@evil.example' } } }, ['evil.example']],
  [{ src_endpoint: { ip: '192.0.2.77' } }, []],
  [{}, []],
])('%j meets %j', (event, values) => {
  const index = createIndicatorIndex([
    listed('address', '10.1.0.0/16'),
    listed('address', '198.51.100.0/24'),
    listed('address', '10.0.0.0/8'),
    listed('address', '2001:db8:0:0::1'),
    listed('address', '203.0.113.1'),
    listed('domain', 'evil.example'),
    listed('address', '192.0.2.77', 1_000),
  ]);
  const found = index.match(observablesOf(event), 2_000).map(({ value }) => value);
  expect(found.toSorted()).toEqual([...values].toSorted());
});

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0',
    'browser',
    'Edge',
    'Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605 Version/18.0 Safari/605',
    'browser',
    'Safari',
    'macOS',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0', 'script', 'Headless browser', 'Linux'],
  ['python-requests/2.32', 'script', 'Python', undefined],
  ['octokit-core.js/6 Node.js/22', 'sdk', 'Octokit', undefined],
  ['AcmeSync/4.2 (build 7)', 'other', 'AcmeSync', undefined],
])('the client %s', (agent, kind, name, system) => {
  expect(parseUserAgent(agent)).toEqual({ kind, name, ...(system !== undefined && { system }) });
});
