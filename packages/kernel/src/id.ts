import { randomFillSync } from 'node:crypto';
import { IdInvalid } from './errors.ts';

declare const brand: unique symbol;
/** A UUIDv7 string that says what it identifies. Made only by `create` or `parse`. */
export type Id<Name extends string> = string & { readonly [brand]: Name };

export interface IdKind<Name extends string> {
  /** Throws `IdInvalid` unless the value is a lower-case UUID. */
  parse(value: unknown): Id<Name>;
  create(now?: number): Id<Name>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;
let lastMs = 0;
let sequence = 0;

/**
 * UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then a 12-bit counter (method 1 of
 * section 6.2) so that ids minted in one process sort in the order they were made, then 62 random bits.
 */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    // The counter overflowed inside one millisecond: borrow from the future rather than repeat.
    lastMs += 1;
    sequence = 0;
  }
  if (used + 8 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const high = (0x80 | (pool[used]! & 0x3f)).toString(16);
  const tail = pool.toString('hex', used + 1, used + 8);
  used += 8;
  const time = lastMs.toString(16).padStart(12, '0');
  const counter = sequence.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${high}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

/** Milliseconds since the epoch at which a UUIDv7 was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

export function defineId<Name extends string>(name: Name): IdKind<Name> {
  return {
    parse(value) {
      if (typeof value !== 'string' || !UUID.test(value)) {
        throw new IdInvalid(`${name} must be a lower-case UUID.`, { expected: name });
      }
      return value as Id<Name>; // checked by the pattern above
    },
    create(now) {
      return uuidv7(now) as Id<Name>; // freshly minted
    },
  };
}

export const AppId = defineId('AppId');
export type AppId = Id<'AppId'>;
export const IntegrationId = defineId('IntegrationId');
export type IntegrationId = Id<'IntegrationId'>;
export const GrantId = defineId('GrantId');
export type GrantId = Id<'GrantId'>;
export const PolicyId = defineId('PolicyId');
export type PolicyId = Id<'PolicyId'>;
export const LimitId = defineId('LimitId');
export type LimitId = Id<'LimitId'>;
export const InspectionRuleId = defineId('InspectionRuleId');
export type InspectionRuleId = Id<'InspectionRuleId'>;
export const CredentialId = defineId('CredentialId');
export type CredentialId = Id<'CredentialId'>;
export const PersonId = defineId('PersonId');
export type PersonId = Id<'PersonId'>;
export const SessionId = defineId('SessionId');
export type SessionId = Id<'SessionId'>;
export const EventId = defineId('EventId');
export type EventId = Id<'EventId'>;
