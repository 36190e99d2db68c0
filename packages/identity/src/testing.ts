import { randomBytes } from 'node:crypto';
import { type Clock, createSecretEnvelope, type Database, kernelMigrations, migrate } from '@cordon/kernel';
import {
  createFakeClock,
  createTestDatabase,
  createTestLogger,
  type FakeClock,
  type TestDatabase,
} from '@cordon/kernel/testing';
import type { IdentityConfigInput } from './config.ts';
import type { PasswordCost, Revocation } from './context.ts';
import type { IdentityEvent } from './events.ts';
import { createIdentity, type Identity, type IdentityDeps, identityMigrations } from './identity.ts';

export {
  type AuthenticatorFaults,
  type CredentialJson,
  createSoftwareAuthenticator,
  type SoftwareAuthenticator,
} from './software-authenticator.ts';

/** The cheapest that Argon2 allows: tests are about behaviour, not about its cost. */
const CHEAP_PASSWORDS: PasswordCost = { memoryKib: 8, passes: 1, lanes: 1 };

export interface FakeIdentity {
  readonly identity: Identity;
  readonly clock: FakeClock;
  readonly db: Database;
  readonly test: TestDatabase;
  /** Every event that was emitted, oldest first. */
  readonly events: IdentityEvent[];
  /** Every revocation that the composition was told of, oldest first. */
  readonly revocations: Revocation[];
  readonly publicUrl: string;
}

/** The real identity on a database of its own, with a clock that stands still and hooks that write down. */
export async function createFakeIdentity(
  options: {
    readonly config?: Partial<IdentityConfigInput>;
    readonly clock?: Clock;
    readonly checkIntegration?: NonNullable<IdentityDeps['checkIntegration']>;
    readonly fetchJson?: NonNullable<IdentityDeps['fetchJson']>;
    readonly postJson?: NonNullable<IdentityDeps['postJson']>;
    readonly resolveTxt?: NonNullable<IdentityDeps['resolveTxt']>;
    readonly findIntegration?: NonNullable<IdentityDeps['findIntegration']>;
    readonly hasApp?: NonNullable<IdentityDeps['hasApp']>;
    readonly isBreakGlass?: NonNullable<IdentityDeps['isBreakGlass']>;
    readonly countryOf?: NonNullable<IdentityDeps['countryOf']>;
    readonly riskOf?: NonNullable<IdentityDeps['riskOf']>;
    readonly onDisabled?: NonNullable<IdentityDeps['onDisabled']>;
    readonly operations?: NonNullable<IdentityDeps['operations']>;
    readonly onMoved?: NonNullable<IdentityDeps['onMoved']>;
    readonly groupTargets?: NonNullable<IdentityDeps['groupTargets']>;
  } = {},
): Promise<FakeIdentity> {
  const test = await createTestDatabase();
  await migrate(test.db, [kernelMigrations, identityMigrations]);
  const clock = createFakeClock(Date.now());
  const events: IdentityEvent[] = [];
  const revocations: Revocation[] = [];
  const publicUrl = options.config?.publicUrl ?? 'https://cordon.example';
  const identity = createIdentity({
    db: test.db,
    clock: options.clock ?? clock,
    envelope: createSecretEnvelope({ keys: [randomBytes(32)] }),
    logger: createTestLogger(),
    config: { ...options.config, publicUrl },
    emit: (event) => void events.push(event),
    onRevoked: async (_tx, revocation) => void revocations.push(revocation),
    passwordCost: CHEAP_PASSWORDS,
    ...(options.fetchJson ? { fetchJson: options.fetchJson } : {}),
    ...(options.postJson ? { postJson: options.postJson } : {}),
    ...(options.findIntegration ? { findIntegration: options.findIntegration } : {}),
    ...(options.resolveTxt ? { resolveTxt: options.resolveTxt } : {}),
    ...(options.hasApp ? { hasApp: options.hasApp } : {}),
    ...(options.isBreakGlass ? { isBreakGlass: options.isBreakGlass } : {}),
    ...(options.countryOf ? { countryOf: options.countryOf } : {}),
    ...(options.riskOf ? { riskOf: options.riskOf } : {}),
    ...(options.onDisabled ? { onDisabled: options.onDisabled } : {}),
    ...(options.operations ? { operations: options.operations } : {}),
    ...(options.onMoved ? { onMoved: options.onMoved } : {}),
    ...(options.groupTargets ? { groupTargets: options.groupTargets } : {}),
    ...(options.checkIntegration ? { checkIntegration: options.checkIntegration } : {}),
  });
  return { identity, clock, db: test.db, test, events, revocations, publicUrl };
}
