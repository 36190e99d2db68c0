import type { VendorsContext } from '../context.ts';
import type { SeverityPolicy } from '../pentest/severity-policy.ts';
import type { Checklist } from './checklist.ts';
import type { AttestationKind } from './kind.ts';

/** What attestations, own audits and penetration tests work with, beside what every command does. */
export interface AssuranceContext extends VendorsContext {
  readonly kinds: readonly AttestationKind[];
  readonly checklists: readonly Checklist[];
  /** Until somebody sets one of their own. */
  readonly severityPolicy: SeverityPolicy;
  /** An integration's name; null: there is none with this id. */
  integrationName(id: string): Promise<string | null>;
}
