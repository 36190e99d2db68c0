import type { Actor, Clock, Database, IntegrationId, Logger, SecretEnvelope, Transaction } from '@cordon/kernel';
import type { Kysely } from 'kysely';
import type { IdentityConfig } from './config.ts';
import type { OperationPort } from './elevation/elevation.ts';
import type { IdentityEvent } from './events.ts';
import type { Move } from './groups/group.ts';
import type { IdentityTables } from './tables.ts';
import type { FetchJson } from './oauth/issuer-keys.ts';
import type { PostJson } from './oauth/public-fetch.ts';
import type { Random } from './token-secret.ts';
import type { SignInGate } from './policy/sign-in-gate.ts';
import type { ResolveTxt } from './upstream/providers.ts';

/** A token that no longer works: hex SHA-256 of its value, and when it would have ended (ms since the epoch). */
export interface RevokedToken {
  readonly hash: string;
  readonly expiresAt: number;
}

/** Access that ended: what the gateways must stop accepting. */
export interface Revocation {
  readonly reason: string;
  readonly actor: Actor;
  /** Tokens that were deleted before their time. */
  readonly tokens: readonly RevokedToken[];
  readonly clientId?: string;
  readonly integrationId?: string;
  readonly personId?: string;
}

/** Whose an integration is. */
export interface IntegrationFacts {
  readonly name: string;
  readonly ownerId: string;
  readonly active: boolean;
}

/** What every command of this package works with. Built once by `createIdentity`. */
export interface IdentityContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly config: IdentityConfig;
  /** Takes one OCSF event; must not throw or wait. Called after the commit. */
  readonly emit: (event: IdentityEvent) => void;
  /** Called inside the transaction that deletes tokens: publishes the revocation and moves the epoch. */
  readonly onRevoked: (tx: Transaction, revocation: Revocation) => Promise<void>;
  /** Throws unless the integration exists and this actor may manage its credentials. */
  readonly checkIntegration?: (actor: Actor, integrationId: IntegrationId) => Promise<void>;
  /** What an approval must know of an integration; null when it doesn't exist. Without it, approvals can't be asked for. */
  readonly findIntegration?: (id: string) => Promise<IntegrationFacts | null>;
  /** Whether an app of this name is behind the gateway (RFC 8707). Without it, every name is taken for one. */
  readonly hasApp?: (name: string) => Promise<boolean>;
  /** Inside the transaction that disables a person: begin to take what this package can't reach. */
  readonly onDisabled?: (
    tx: Transaction,
    input: {
      readonly person: { readonly id: string; readonly name: string };
      readonly actor: Actor;
      readonly reason: string;
    },
  ) => Promise<unknown>;
  /** Tools that members of any of these groups have an account in. Without it, none is known. */
  readonly groupTargets?: (
    source: Pick<Transaction, 'tables'>,
    groups: readonly string[],
  ) => Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** Inside the transaction that changed what somebody may use: keeps the evidence. */
  readonly onMoved?: (tx: Transaction, input: { readonly actor: Actor; readonly move: Move }) => Promise<unknown>;
  /** Temporary grants of integrations. Without it, only people are elevated. */
  readonly operations?: OperationPort;
  /** A person unlocked an address: tells the gateways, in the same transaction. */
  readonly onUnlocked?: (tx: Transaction, address: string) => Promise<unknown>;
  /** Fetches the keys of workload issuers; without it, only keys that were given are used. */
  readonly fetchJson?: FetchJson;
  /** Tells clients of decisions; to the public internet alone when absent. */
  readonly postJson?: PostJson;
  /** Reads TXT records, to verify domains of corporate providers; the system's resolver when absent. */
  readonly resolveTxt?: ResolveTxt;
  readonly passwordCost: PasswordCost;
  /** Decides every sign-in, to Cordon and to each tool. */
  readonly gate: SignInGate;
  /** Whether policy on sign-in doesn't hold this person: an account for when everything else fails. None when absent. */
  readonly isBreakGlass?: (personId: string) => Promise<boolean>;
  /** ISO 3166-1 alpha-2 of an address, without asking anybody outside; null: nobody can tell. */
  readonly countryOf?: CountryOf;
  /** What behaviour and alerts say of a person. Nothing when absent. */
  readonly riskOf?: RiskOf;
}

export type CountryOf = (address: string) => Promise<string | null>;

/** `score` 0 to 100; `alerts`: open ones of level high or critical. */
export type RiskOf = (person: {
  readonly id: string;
  readonly login: string;
  readonly email: string;
}) => Promise<{ readonly score: number; readonly alerts: number }>;

/** Argon2id cost (RFC 9106): memory in KiB, passes, lanes. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** Where a request came from, for throttling, session binding and events. */
export interface RequestOrigin {
  readonly ip: string;
  readonly agent: string;
  /** The cookie of a browser that signed in before; a secret, for policy on sign-in alone. */
  readonly device?: string;
}

export type IdentityDb = Kysely<IdentityTables>;

/** The typed tables, of a database or of a transaction. */
export function tablesOf(source: Pick<Database, 'tables'>): IdentityDb {
  return source.tables<IdentityTables>();
}
