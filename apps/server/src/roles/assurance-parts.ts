import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Estate, findIntegration } from '@cordon/estate';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import type { Identity } from '@cordon/identity';
import {
  createAssurance,
  createFileReader,
  loadAttestationKinds,
  loadChecklists,
  loadClauses,
  loadForms,
  loadSeverityPolicy,
} from '@cordon/vendors';
import { startAssuranceDuties } from '../worker/assurance-duties.ts';
import { createEstatePort } from './vendor-parts.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const PEOPLE_PAGE = 200;
const PEOPLE_PAGES_MAX = 50;
const ACTOR = { kind: 'system', name: 'vendor warnings' } as const;

export interface AssuranceParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly estate: Estate;
  readonly publicUrl: string;
}

/** What control answers about attestations, own audits and penetration tests. */
export function createAssuranceParts({ db, clock, envelope, estate, publicUrl }: AssuranceParts) {
  const assurance = createAssurance({
    db,
    clock,
    envelope,
    random: randomBytes,
    files: createFileReader(),
    clauses: loadClauses(CONTENT),
    forms: loadForms(CONTENT),
    estate: createEstatePort(db, estate),
    publicUrl,
    kinds: loadAttestationKinds(CONTENT),
    checklists: loadChecklists(CONTENT),
    severityPolicy: loadSeverityPolicy(CONTENT),
    integrationName: async (id) => (await findIntegration(db, { id }))?.name ?? null,
  });
  return { assurance };
}

/** The address of an active person of this name; two of one name are nobody. */
async function addressOfPerson(identity: Identity, name: string): Promise<string | null> {
  const found: string[] = [];
  let after: Parameters<Identity['people']['list']>[1]['after'];
  for (let page = 0; page < PEOPLE_PAGES_MAX; page += 1) {
    const people = await identity.people.list(ACTOR, { after, limit: PEOPLE_PAGE });
    found.push(...people.filter((one) => one.status === 'active' && one.name === name).map(({ email }) => email));
    after = people.at(-1)?.id;
    if (people.length < PEOPLE_PAGE) break;
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

export interface AssuranceWorkerParts extends Omit<AssuranceParts, 'estate'> {
  readonly identity: Identity;
  readonly logger: Logger;
}

export function startAssurance({ identity, ...parts }: AssuranceWorkerParts) {
  const kinds = loadAttestationKinds(CONTENT);
  return startAssuranceDuties({ ...parts, kinds, addressOfOwner: async (owner) => addressOfPerson(identity, owner) });
}
