import type { AssuranceContext } from './attestation/assurance-context.ts';
import { createAttestationCommands } from './attestation/attestation-commands.ts';
import { createAuditCommands } from './attestation/audit-commands.ts';
import { createFindingCommands } from './pentest/finding-commands.ts';
import { createFindingPortal } from './pentest/finding-portal.ts';
import { createPentestCommands } from './pentest/pentest-commands.ts';

export type Assurance = ReturnType<typeof createAssurance>;

/** Attestations, own audits, penetration tests and their findings, over one context. */
export function createAssurance(context: AssuranceContext) {
  return {
    attestations: createAttestationCommands(context),
    audits: createAuditCommands(context),
    pentests: createPentestCommands(context),
    findings: createFindingCommands(context),
    findingPortal: createFindingPortal(context),
  };
}
