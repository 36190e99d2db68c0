import type { Clock, Database, SecretEnvelope, Transaction } from '@cordon/kernel';
import type { WebhookScheme } from '@cordon/policy';
import type { SchemeCatalogue } from './scheme-catalogue.ts';

/** What this package needs of the estate. */
export interface EstatePort {
  /** Makes a change visible to gateways, in the change's own transaction. */
  publish(
    tx: Transaction,
    change: {
      readonly set?: readonly (readonly [string, unknown])[];
      readonly remove?: readonly string[];
      readonly at: number;
    },
  ): Promise<void>;
  /** Who answers for an app; null when there is no such app. */
  app(id: string): Promise<{ readonly id: string; readonly name: string; readonly ownerId: string } | null>;
  integration(id: string): Promise<{ readonly id: string; readonly name: string; readonly status: string } | null>;
}

export interface WebhookContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly estate: EstatePort;
  readonly schemes: SchemeCatalogue;
  /** Random bytes for secrets and ids. */
  readonly random: (bytes: number) => Buffer;
  /** Throws with a sentence for people when a JSON Schema can't be compiled. */
  readonly checkSchema: (text: string) => void;
  /** Throws with a sentence for people when a scheme can't use a secret. */
  readonly checkSecret: (scheme: WebhookScheme, secret: string) => void;
}
