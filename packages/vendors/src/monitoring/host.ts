import { z } from 'zod';
import type { ObservationKind } from '../score/contradiction.ts';
import type { Severity } from '../score/weights.ts';

export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const DAY_MS = 86_400_000;
const EXPIRES_SOON_DAYS = 30;
const EXPIRES_NOW_DAYS = 7;
const RSA_BITS_MIN = 2048;
const EC_BITS_MIN = 224;

const certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()),
  validFrom: z.number(),
  validTo: z.number(),
  keyType: z.string(),
  /** Null: the kind of key has one size only. */
  keyBits: z.int().nullable(),
  signature: z.string(),
  sha256: z.string(),
  matchesHost: z.boolean(),
  /** Why the chain is not trusted; null: it is. */
  distrust: z.string().nullable(),
});

/** What one look at a host showed. Null is "not visible", which is neither good nor bad. */
export const hostObservation = z.object({
  at: z.number(),
  isPlain: z.boolean(),
  /** Empty: the name has no address. */
  addresses: z.array(z.string()),
  /** Why it could not be reached; null: it was. */
  problem: z.string().nullable(),
  certificate: certificate.nullable(),
  versions: z.record(z.enum(TLS_VERSIONS), z.boolean().nullable()).nullable(),
  /** Records of the nearest name above that has some (RFC 8659, section 3). */
  caa: z.array(z.string()).nullable(),
  securityTxt: z
    .object({
      state: z.enum(['valid', 'expired', 'absent', 'invalid']),
      contacts: z.array(z.string()),
      policy: z.string().nullable(),
      expires: z.number().nullable(),
    })
    .nullable(),
});
export type HostObservation = z.output<typeof hostObservation>;

export interface HostProblem {
  /** Names the problem, so that it can be said when it came and went. */
  readonly code: string;
  readonly severity: Severity;
  readonly text: string;
  /** What of a vendor's answers it contradicts. */
  readonly contradicts: ObservationKind | null;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function certificateProblems(one: z.output<typeof certificate>, now: number): HostProblem[] {
  const found: HostProblem[] = [];
  const add = (code: string, severity: Severity, text: string): number =>
    found.push({
      code,
      severity,
      text,
      contradicts: severity === 'low' || severity === 'medium' ? null : 'certificate',
    });
  const daysLeft = Math.floor((one.validTo - now) / DAY_MS);
  const until = dayOf(one.validTo);
  if (one.validTo <= now) add('certificate_expired', 'critical', `The certificate ended on ${until}.`);
  else if (daysLeft < EXPIRES_NOW_DAYS) add('certificate_expires', 'medium', `The certificate ends on ${until}.`);
  else if (daysLeft < EXPIRES_SOON_DAYS) add('certificate_expires', 'low', `The certificate ends on ${until}.`);
  if (one.validFrom > now) add('certificate_early', 'high', `The certificate begins on ${dayOf(one.validFrom)}.`);
  if (!one.matchesHost)
    add('certificate_name', 'high', `The certificate is for ${one.names.join(', ') || one.subject}.`);
  else if (one.distrust !== null && one.validTo > now && one.validFrom <= now) {
    add('certificate_untrusted', 'high', `The certificate's chain is not trusted: ${one.distrust}.`);
  }
  const bits = one.keyBits ?? Number.POSITIVE_INFINITY;
  const isWeak = one.keyType === 'dsa' || bits < (one.keyType === 'ec' ? EC_BITS_MIN : RSA_BITS_MIN);
  if (isWeak)
    add('certificate_key', 'high', `The certificate's key is weak: ${one.keyType} ${one.keyBits ?? ''}`.trim());
  if (/\b(?:sha-?1|md5)\b|sha1|md5/i.test(one.signature)) {
    add('certificate_signature', 'high', `The certificate is signed with ${one.signature}.`);
  }
  return found;
}

/** What is wrong with what was seen. Pure; what was not visible is no problem. */
export function problemsOf(seen: HostObservation, now: number): HostProblem[] {
  const found: HostProblem[] = [];
  const add = (code: string, severity: Severity, text: string, contradicts: ObservationKind | null = null): number =>
    found.push({ code, severity, text, contradicts });
  if (seen.isPlain) add('plaintext', 'critical', 'It is called over plain HTTP.', 'plaintext');
  if (seen.addresses.length === 0 && seen.problem !== null)
    add('dns_gone', 'high', `Its name does not resolve: ${seen.problem}`);
  if (seen.certificate) found.push(...certificateProblems(seen.certificate, now));
  const offered = TLS_VERSIONS.filter((version) => seen.versions?.[version] === true);
  const old = offered.filter((version) => version === 'TLSv1' || version === 'TLSv1.1');
  const names = old.map((version) => (version === 'TLSv1' ? 'TLS 1.0' : 'TLS 1.1')).join(' and ');
  if (old.length > 0) add('tls_old', 'high', `It still offers ${names}, which RFC 8996 retires.`, 'tls_old');
  if (offered.length > 0 && old.length === offered.length)
    add('tls_only_old', 'critical', 'It offers no current TLS.', 'tls_old');
  const { state, expires } = seen.securityTxt ?? { state: null, expires: null };
  if (state === 'absent') add('security_txt_absent', 'low', 'It publishes no security.txt (RFC 9116).', 'security_txt');
  if (state === 'expired') {
    const since = expires === null ? '' : ` since ${dayOf(expires)}`;
    add('security_txt_expired', 'low', `Its security.txt is out of date${since}.`, 'security_txt');
  }
  if (state === 'invalid') {
    add('security_txt_invalid', 'low', 'Its security.txt lacks a contact or a date of expiry.', 'security_txt');
  }
  if (seen.caa?.length === 0)
    add('caa_absent', 'low', 'No CAA record says who may issue certificates for it (RFC 8659).');
  return found;
}

export interface HostChange {
  readonly code: string;
  readonly severity: Severity | 'info';
  readonly text: string;
}

/** What is new between two looks: problems that came or went, and changes that are worth a line. */
export function changesOf(before: HostObservation | null, after: HostObservation, now: number): HostChange[] {
  const [was, is] = [before === null ? [] : problemsOf(before, before.at), problemsOf(after, now)];
  const known = new Map(was.map((one) => [one.code, one]));
  const stays = new Set(is.map(({ code }) => code));
  const changes: HostChange[] = is
    .filter(({ code, severity }) => known.get(code)?.severity !== severity)
    .map(({ code, severity, text }) => ({ code, severity, text }));
  // What can't be seen any more is not mended.
  const isVisible = after.problem === null;
  for (const { code, text } of was) {
    if (!stays.has(code) && (isVisible || code === 'dns_gone')) {
      changes.push({ code: `${code}:mended`, severity: 'info', text: `Mended: ${text}` });
    }
  }
  if (before === null) return changes;
  if (before.problem === null && after.problem !== null && after.addresses.length > 0) {
    changes.push({ code: 'unreachable', severity: 'info', text: `It could not be looked at: ${after.problem}` });
  }
  const [old, fresh] = [before.certificate, after.certificate];
  if (old && fresh && old.sha256 !== fresh.sha256) {
    const issuer = old.issuer === fresh.issuer ? '' : ` by another issuer (${fresh.issuer}, before ${old.issuer})`;
    const text = `It shows a new certificate${issuer}, until ${dayOf(fresh.validTo)}.`;
    changes.push({ code: 'certificate_changed', severity: issuer === '' ? 'info' : 'low', text });
  }
  return changes;
}
