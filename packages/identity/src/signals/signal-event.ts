import { strengthOf } from '../sso/sso-app.ts';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/';

export const VERIFICATION = `${SSF}verification`;
export const STREAM_UPDATED = `${SSF}stream-updated`;

/** Every event of CAEP 1.0 and RISC 1.0 that is acted on, by its short name. */
export const EVENT_TYPES = {
  'session-revoked': `${CAEP}session-revoked`,
  'token-claims-change': `${CAEP}token-claims-change`,
  'credential-change': `${CAEP}credential-change`,
  'assurance-level-change': `${CAEP}assurance-level-change`,
  'device-compliance-change': `${CAEP}device-compliance-change`,
  'risk-level-change': `${CAEP}risk-level-change`,
  'account-credential-change-required': `${RISC}account-credential-change-required`,
  'account-purged': `${RISC}account-purged`,
  'account-disabled': `${RISC}account-disabled`,
  'account-enabled': `${RISC}account-enabled`,
  'identifier-changed': `${RISC}identifier-changed`,
  'identifier-recycled': `${RISC}identifier-recycled`,
  'credential-compromise': `${RISC}credential-compromise`,
  'recovery-activated': `${RISC}recovery-activated`,
  'sessions-revoked': `${RISC}sessions-revoked`,
} as const;
export type SignalName = keyof typeof EVENT_TYPES;

export const SIGNAL_NAMES = Object.keys(EVENT_TYPES) as SignalName[]; // the keys of the table are the names

/** What is sent; the triggers of migration 0022 write these kinds. */
export const SENT_NAMES = [
  'session-revoked',
  'credential-change',
  'assurance-level-change',
  'account-disabled',
  'account-enabled',
  'identifier-changed',
  'recovery-activated',
] as const satisfies readonly SignalName[];
export const SENT_TYPES: readonly string[] = SENT_NAMES.map((name) => EVENT_TYPES[name]);

export function nameOfEvent(type: string): SignalName | null {
  return SIGNAL_NAMES.find((name) => EVENT_TYPES[name] === type) ?? null;
}

/** Something that happened, as the database wrote it down. */
export interface SignalFact {
  readonly kind: string;
  readonly personId: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const LEVELS = ['any', 'mfa', 'passkey'] as const;
/** How strong a session is, in Cordon's words: NIST's levels don't tell a passkey from a code. */
const NAMESPACE = 'urn:cordon:acr';

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** The event's own members (CAEP 1.0, section 3; RISC 1.0, section 2); null for a fact that nobody is told of. */
export function payloadOf({ kind, detail, at }: SignalFact): Record<string, unknown> | null {
  // CAEP counts in seconds.
  const timed = { event_timestamp: Math.floor(at / 1000) };
  switch (kind) {
    case 'session-revoked':
      return timed;
    case 'credential-change':
      return {
        ...timed,
        credential_type: detail['credential'],
        change_type: detail['change'],
        ...(typeof detail['name'] === 'string' ? { friendly_name: detail['name'] } : {}),
        ...(typeof detail['aaguid'] === 'string' ? { fido2_aaguid: detail['aaguid'] } : {}),
      };
    case 'assurance-level-change': {
      const [before, after] = [strengthOf(textsOf(detail['before'])), strengthOf(textsOf(detail['after']))];
      if (before === after) return null;
      const change_direction = LEVELS.indexOf(after) > LEVELS.indexOf(before) ? 'increase' : 'decrease';
      return { ...timed, namespace: NAMESPACE, previous_level: before, current_level: after, change_direction };
    }
    case 'identifier-changed':
      return { 'new-value': detail['after'] };
    case 'account-disabled':
    case 'account-enabled':
    case 'recovery-activated':
      return {};
    default:
      return null;
  }
}
