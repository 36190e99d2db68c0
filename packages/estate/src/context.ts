import type { CompiledDescription } from '@cordon/openapi';
import type { Actor, Clock, Database, Logger, SecretEnvelope, Transaction, WorkflowClient } from '@cordon/kernel';
import type { VendorClient } from './vault/vendor-client.ts';

/** Webhook endpoints as far as declarations need them; they are another domain's. */
export interface DeclaredWebhooks {
  list(): Promise<
    readonly {
      readonly id: string;
      readonly name: string;
      readonly appId: string;
      readonly integrationId: string;
      readonly status: string;
      readonly settings: Readonly<Record<string, unknown>>;
    }[]
  >;
  create(actor: Actor, input: Readonly<Record<string, unknown>>): Promise<{ readonly id: string }>;
  update(actor: Actor, id: string, patch: Readonly<Record<string, unknown>>): Promise<void>;
  remove(actor: Actor, id: string): Promise<void>;
}

/** What every command of this package works with. Built once by `createEstate`. */
export interface EstateContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
  readonly workflows: WorkflowClient;
  /** Compiles an API description; here and now when absent. Control does it beside its event loop. */
  readonly compile?: (source: Uint8Array) => Promise<CompiledDescription>;
  /** Asks vendors for tokens and tries credentials; without it only what needs no vendor works. */
  readonly vendor?: VendorClient;
  /** Absent: declarations hold no webhook endpoints. */
  readonly webhooks?: DeclaredWebhooks;
  /** Where people reach control: consent pages send them back there. */
  readonly publicUrl?: string;
  /** Identity's half of a cut-off, in the same transaction: delete tokens, end clients. */
  readonly endAccess: (
    tx: Transaction,
    input: { readonly integrationId: string; readonly actor: Actor; readonly reason: string },
  ) => Promise<void>;
  /** Identity's half of a restoration: clients may obtain tokens again. */
  readonly restoreAccess: (
    tx: Transaction,
    input: { readonly integrationId: string; readonly actor: Actor },
  ) => Promise<void>;
}
