import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCef, parseLeef, parseSyslog, SyslogFrames, syslogRecord } from './syslog.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

// The examples of RFC 5424, section 6.5, and RFC 3164, section 5.4.
test.each([
  [
    `<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed for lonvick on /dev/pts/8`,
    {
      facility: 'auth',
      severity: 'critical',
      time: Date.UTC(2003, 9, 11, 22, 14, 15, 3),
      host: 'mymachine.example.com',
      app: 'su',
      messageId: 'ID47',
      text: "'su root' failed for lonvick on /dev/pts/8",
    },
  ],
  [
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
    {
      facility: 'local4',
      severity: 'notice',
      time: Date.UTC(2003, 7, 24, 12, 14, 15),
      host: '192.0.2.1',
      app: 'myproc',
      process: '8710',
      text: "%% It's time to make the do-nuts.",
    },
  ],
  [
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]',
    {
      facility: 'local4',
      severity: 'notice',
      time: Date.UTC(2003, 9, 11, 22, 14, 15, 3),
      host: 'mymachine.example.com',
      app: 'evntslog',
      messageId: 'ID47',
      structured: {
        'exampleSDID@32473': { iut: '3', eventSource: 'Application', eventID: '1011' },
        'examplePriority@32473': { class: 'high' },
      },
      text: '',
    },
  ],
  [
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    {
      facility: 'auth',
      severity: 'critical',
      time: Date.UTC(2026, 9, 11, 22, 14, 15),
      host: 'mymachine',
      app: 'su',
      text: "'su root' failed for lonvick on /dev/pts/8",
    },
  ],
  [
    '<13>Dec  1 02:03:04 router sshd[411]: Accepted publickey for ada',
    {
      facility: 'user',
      severity: 'notice',
      time: Date.UTC(2025, 11, 1, 2, 3, 4),
      host: 'router',
      app: 'sshd',
      process: '411',
      text: 'Accepted publickey for ada',
    },
  ],
  [
    '<86>2026-11-23T10:00:00+01:00 gate app: hello',
    {
      facility: 'authpriv',
      severity: 'informational',
      time: Date.UTC(2026, 10, 23, 9),
      host: 'gate',
      app: 'app',
      text: 'hello',
    },
  ],
  ['no header at all', { text: 'no header at all' }],
  ['<999>odd', { text: '<999>odd' }],
  ['<13>', { facility: 'user', severity: 'notice', text: '' }],
] as const)('%s', (line, expected) => {
  expect(parseSyslog(line, NOW)).toEqual(expected);
});

test("structured data: only three characters are escaped, and names are nobody's prototype", () => {
  const line = '<1>1 - - - - - [a@1 x="q\\"b\\\\c\\]d\\n" __proto__="p"] text';
  const { structured } = parseSyslog(line, NOW);
  expect(structured?.['a@1']?.['x']).toBe('q"b\\c]d\\n');
  expect(Object.keys(structured?.['a@1'] ?? {})).toEqual(['x', '__proto__']);
  expect(parseSyslog('<1>1 - h - - - [broken text', NOW).text).toContain('[broken text');
});

describe('what stands in the text', () => {
  test('CEF with escapes and spaces in values', () => {
    const text =
      'CEF:0|Security|threat\\|manager|1.0|100|detected a \\\\ in message|10|src=10.0.0.1 act=blocked a \\= b msg=two words\\nnew';
    expect(parseCef(text)).toEqual({
      version: '0',
      vendor: 'Security',
      product: 'threat|manager',
      productVersion: '1.0',
      signature: '100',
      name: 'detected a \\ in message',
      severity: '10',
      extension: { src: '10.0.0.1', act: 'blocked a = b', msg: 'two words\nnew' },
    });
    expect(parseCef('CEF:0|too|short')).toBeNull();
  });

  test.each([
    [
      'LEEF:1.0|Lancope|StealthWatch|1.0|41|src=192.0.2.0\tdst=172.50.123.1\tsev=5',
      { src: '192.0.2.0', dst: '172.50.123.1', sev: '5' },
    ],
    [
      'LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=192.0.2.0^dst=172.50.123.1',
      { src: '192.0.2.0', dst: '172.50.123.1' },
    ],
    ['LEEF:2.0|Lancope|StealthWatch|1.0|41|x5E|src=192.0.2.0^sev=5', { src: '192.0.2.0', sev: '5' }],
  ])('%s', (text, extension) => {
    expect(parseLeef(text)).toMatchObject({ vendor: 'Lancope', eventId: '41', extension });
  });

  test('JSON is the record of a product that writes JSON, and a part of the record of syslog itself', () => {
    const line = '<14>1 2026-11-23T10:00:00Z fw zscaler - - - {"action":"Blocked"}';
    expect(syslogRecord(line, { product: 'zscaler', now: NOW })).toEqual({
      text: '{"action":"Blocked"}',
      time: Date.UTC(2026, 10, 23, 10),
    });
    const own = JSON.parse(syslogRecord(line, { product: 'syslog', now: NOW }).text) as object;
    expect(own).toMatchObject({ host: 'fw', json: { action: 'Blocked' }, raw: line });
  });
});

describe('frames', () => {
  const chunked = (bytes: Buffer, size: number): string[] => {
    const frames = new SyslogFrames();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...frames.push(bytes.subarray(at, at + size)));
    return [...found, ...frames.end()];
  };

  test('counted octets, lines, NUL, and both mixed, however they are cut', () => {
    const counted = '<14>1 - h a - - - två\nlines';
    const body = Buffer.from(`${Buffer.byteLength(counted)} ${counted}<13>plain one\n<13>by nul\0\n\n<13>last`);
    for (const size of [1, 2, 3, 7, 1_000]) {
      expect(chunked(body, size)).toEqual([counted, '<13>plain one', '<13>by nul', '<13>last']);
    }
  });

  test('any bytes end as messages, none is lost and nothing hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
        const frames = chunked(Buffer.from(bytes), size);
        for (const frame of frames) parseSyslog(frame, NOW);
        expect(frames).toEqual(chunked(Buffer.from(bytes), 1));
      }),
      { numRuns: 300 },
    );
  });

  test('a message without an end is cut at the size of a record', () => {
    const frames = new SyslogFrames();
    const messages = frames.push(Buffer.alloc(2_500_000, 'a'));
    expect(messages.map((one) => one.length)).toEqual([1_048_576, 1_048_576]);
  });
});
