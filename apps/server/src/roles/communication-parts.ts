import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { listApps, listGrants, listIntegrations } from '@cordon/estate';
import {
  type BlastRadius,
  type ContractTerm,
  createContactCommands,
  createDutyCommands,
  type DutyContext,
  listContacts,
  loadDuties,
  loadTemplates,
} from '@cordon/incidents';
import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import { listContractClocks, listVendors } from '@cordon/vendors';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const HOURS_A_BUSINESS_DAY = 24;

/** Contract clauses with clocks: what vendors owe us by their contracts, and what we owe groups of customers. */
async function contractTerms(db: Database, vendorIds: ReadonlySet<string>): Promise<ContractTerm[]> {
  const clocks = (await listContractClocks(db)).filter(
    ({ clause, vendorId }) => clause === 'breach-notice' && vendorIds.has(vendorId),
  );
  const theirs = clocks.flatMap((one): ContractTerm[] => {
    // Business days count as days: the earlier time is the one to ask at.
    const hours = one.hours ?? (one.businessDays === null ? null : one.businessDays * HOURS_A_BUSINESS_DAY);
    if (hours === null) return [];
    const id = `contract:${one.contractId}:${one.clause}`;
    const source = `${one.title}: "${one.text.slice(0, 200)}"`;
    return [{ id, title: `Contract: ${one.title}`, source, recipient: 'us', hours, owedBy: 'theirs' }];
  });
  const ours = (await listContacts(db)).flatMap(({ id, kind, name, noticeHours }): ContractTerm[] => {
    if (kind !== 'customer-group' || noticeHours === null) return [];
    const title = `Contract with ${name}`;
    return [{ id: `contract:${id}`, title, source: title, recipient: name, hours: noticeHours, owedBy: 'ours' }];
  });
  return [...theirs, ...ours];
}

/** What a vendor reaches here, by the register: its apps, and the integrations with a grant on one of them. */
export async function noticeRadius(db: Database, named: string): Promise<BlastRadius> {
  const wanted = named.toLowerCase();
  const vendors = await listVendors(db);
  const hostOf = (website: string | null): string => (website === null ? '' : new URL(website).hostname);
  const vendor = vendors.find(({ name, profile }) => {
    const host = hostOf(profile.website).replace(/^www\./, '');
    return name.toLowerCase() === wanted || (host !== '' && (wanted === host || wanted.endsWith(`.${host}`)));
  });
  const apps = (await listApps(db)).filter(
    ({ id, name, title }) =>
      vendor?.appIds.includes(id) === true || [name, title].some((one) => one.toLowerCase() === wanted),
  );
  const ids = new Set<string>(apps.map(({ id }) => id));
  const holders = new Set<string>(
    (await listGrants(db)).filter(({ appId }) => ids.has(appId)).map(({ integrationId }) => integrationId),
  );
  const integrations = (await listIntegrations(db)).filter(({ id }) => holders.has(id));
  return {
    vendor: { ref: vendor?.id ?? named, name: vendor?.name ?? named, isKnown: vendor !== undefined },
    links: [
      ...apps.map(({ id, name }) => ({ kind: 'app' as const, ref: id, name })),
      ...integrations.map(({ id, name }) => ({ kind: 'integration' as const, ref: id, name })),
    ],
  };
}

/** Duties, contacts, templates and notices. The estate's graph takes the place of `noticeRadius` when it is there. */
export function createCommunicationParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly publicUrl: string;
}) {
  const { db, clock, envelope } = deps;
  const duties: DutyContext = {
    db,
    clock,
    book: loadDuties(`${CONTENT}duties`),
    contractTerms: (_of, links) =>
      contractTerms(db, new Set(links.filter(({ kind }) => kind === 'vendor').map(({ ref }) => ref))),
  };
  const contacts = { ...deps, random: randomBytes };
  return {
    communication: {
      duties,
      dutyCommands: createDutyCommands(duties),
      contacts,
      contactCommands: createContactCommands(contacts),
      templates: loadTemplates(`${CONTENT}messages`),
      notices: { db, clock, envelope, blastRadius: (vendor: string) => noticeRadius(db, vendor) },
    },
  };
}
export type CommunicationParts = ReturnType<typeof createCommunicationParts>;
