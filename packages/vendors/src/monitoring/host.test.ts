import { describe, expect, test } from 'vitest';
import { changesOf, type HostObservation } from './host.ts';

const now = Date.UTC(2026, 0, 1);

describe('what is new', () => {
  const seen: HostObservation = {
    at: now,
    isPlain: false,
    addresses: ['127.0.0.1'],
    problem: null,
    certificate: null,
    versions: { TLSv1: true, 'TLSv1.1': false, 'TLSv1.2': true, 'TLSv1.3': true },
    caa: null,
    securityTxt: null,
  };
  const mended = { ...seen, versions: { TLSv1: false, 'TLSv1.1': false, 'TLSv1.2': true, 'TLSv1.3': true } };
  const hidden = { ...seen, versions: null, problem: 'no answer in time' };
  test.each<[string, HostObservation | null, HostObservation, string[]]>([
    ['at the first look', null, seen, ['tls_old']],
    ['at the same again', seen, seen, []],
    ['when it is mended', seen, mended, ['tls_old:mended']],
    ['when it returns', mended, seen, ['tls_old']],
    ['when it can no longer be seen', seen, hidden, ['unreachable']],
  ])('%s', (_, before, after, expected) => {
    expect(changesOf(before, after, now).map(({ code }) => code)).toEqual(expected);
  });
});
