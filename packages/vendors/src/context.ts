import type { Actor, Clock, Database, SecretEnvelope } from '@cordon/kernel';
import type { z } from 'zod';
import type { Clause } from './contract/clause.ts';
import { InputInvalid } from './errors.ts';
import type { FileReader } from './files/file-reader.ts';
import type { Form } from './questionnaire/form.ts';

/** What ended when a vendor was cut off, as the estate proves it. */
export interface CutOffProof {
  readonly integrationId: string;
  readonly name: string;
  /** The whole integration, or only its grants on the vendor's apps because it serves others too. */
  readonly scope: 'integration' | 'grants';
  readonly cutOffId: string | null;
}

/** What this package needs of the estate; the composition root wires it. */
export interface EstatePort {
  listApps(): Promise<
    readonly { readonly id: string; readonly name: string; readonly title: string; readonly host: string }[]
  >;
  /** Ends every integration's access to these apps, by the estate's own commands. */
  cutOff(actor: Actor, appIds: readonly string[], reason: string): Promise<readonly CutOffProof[]>;
  /** Integrations that can still reach one of the apps: none once a vendor is cut off. */
  stillReach(appIds: readonly string[]): Promise<readonly string[]>;
}

/** What every command of this package works with. Built once by `createVendors`. */
export interface VendorsContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly random: (bytes: number) => Buffer;
  readonly files: FileReader;
  readonly clauses: readonly Clause[];
  readonly forms: readonly Form[];
  readonly estate: EstatePort;
  /** Address of the console, for links to the portal. */
  readonly publicUrl: string;
}

/** Parses command input; the error names each field and what is wrong with it. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  const text = fields.map(({ field, message }) => `${field || 'input'}: ${message}`).join('; ');
  throw new InputInvalid(`Not valid: ${text}`, { fields });
}
