import { createHash } from 'node:crypto';
import { canonicalJson } from '@cordon/kernel';
import type { CaseEvidence, CaseLink, CaseTask } from './case-store.ts';
import { type IncidentCase, metricsOf, type Tlp } from './case.ts';

// Markings as FIRST and OASIS fixed them (STIX 2.1 TLP 2.0 extension, document "tlp-2.0").
const TLP_EXTENSION = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';
const TLP_IDS: Readonly<Record<Tlp, string>> = {
  clear: 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  green: 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  amber: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'amber+strict': 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  red: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
};
const TLP_CREATED = '2022-10-01T00:00:00.000Z';
/** The incident core extension of the STIX incident work. */
const INCIDENT_EXTENSION = 'extension-definition--ef765651-680c-498d-9894-99799f2fa126';
/** STIX 2.1, section 2.9: for observables, over their contributing properties; two producers then give one id. */
const OBSERVABLES = Buffer.from('00abedb4aa42466c9c01fed23315a9b7', 'hex');
/** For everything else a namespace of our own, as the same section demands. */
const OWN = Buffer.from('6f0d7b1c3a9e4d52b8c4e21f5a7d9036', 'hex');

/** Name-based (RFC 9562, version 5): the same case exports to the same ids, so that a second export updates the first. */
function nameBased(namespace: Buffer, type: string, name: string): string {
  const hash = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${type}--${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const stixId = (type: string, name: string): string => nameBased(OWN, type, `${type} ${name}`);
const observableId = (type: string, contributing: Readonly<Record<string, unknown>>): string =>
  nameBased(OBSERVABLES, type, canonicalJson(contributing));

const iso = (ms: number): string => new Date(ms).toISOString();

export interface CaseParts {
  readonly of: IncidentCase;
  readonly links: readonly CaseLink[];
  readonly evidence: readonly CaseEvidence[];
  readonly tasks: readonly CaseTask[];
}

function markingOf(tlp: Tlp) {
  return {
    type: 'marking-definition',
    spec_version: '2.1',
    id: TLP_IDS[tlp],
    created: TLP_CREATED,
    name: `TLP:${tlp.toUpperCase()}`,
    extensions: { [TLP_EXTENSION]: { extension_type: 'property-extension', tlp_2_0: tlp } },
  };
}

/** STIX 2.1 object for something a case is about; null for what STIX has no word for. */
function linkObject(link: CaseLink, common: Record<string, unknown>): Record<string, unknown> | null {
  const { kind, ref, name } = link;
  if (kind === 'person') {
    return {
      type: 'user-account',
      spec_version: '2.1',
      id: observableId('user-account', { user_id: ref }),
      object_marking_refs: common['object_marking_refs'],
      user_id: ref,
      display_name: name,
    };
  }
  if (kind === 'vendor')
    return {
      ...common,
      type: 'identity',
      id: stixId('identity', `vendor ${ref}`),
      name,
      identity_class: 'organization',
    };
  if (kind === 'app' || kind === 'integration') {
    return {
      ...common,
      type: 'identity',
      id: stixId('identity', `${kind} ${ref}`),
      name,
      identity_class: 'system',
      labels: [kind],
    };
  }
  return null;
}

/** A case as a STIX 2.1 bundle: the incident, what it is about, its evidence by hash, marked with its TLP 2.0. */
export function stixBundle({ of, links, evidence, tasks }: CaseParts): Record<string, unknown> {
  const marking = [TLP_IDS[of.tlp]];
  const author = stixId('identity', 'cordon');
  const common = {
    spec_version: '2.1',
    created: iso(of.createdAt),
    modified: iso(of.updatedAt),
    created_by_ref: author,
    object_marking_refs: marking,
  };
  const incidentId = stixId('incident', of.id);
  const incident = {
    ...common,
    type: 'incident',
    id: incidentId,
    name: of.title,
    ...(of.summary !== '' && { description: of.summary }),
    labels: [`severity:${of.severity}`, `status:${of.status}`],
    extensions: {
      [INCIDENT_EXTENSION]: {
        extension_type: 'property-extension',
        investigation_status: of.status === 'closed' ? 'closed' : 'open',
        criticality: { low: 25, medium: 50, high: 75, critical: 100 }[of.severity],
      },
    },
    x_cordon: { number: of.number, tasks: tasks.length, metrics: metricsOf(of) },
  };
  const objects = links.map((link) => linkObject(link, common)).filter((one) => one !== null);
  const files = evidence.map((one) => ({
    type: 'file',
    spec_version: '2.1',
    id: observableId('file', { hashes: { 'SHA-256': one.sha256 }, name: one.name }),
    name: one.name,
    size: one.bytes,
    mime_type: one.mediaType,
    hashes: { 'SHA-256': one.sha256 },
    object_marking_refs: marking,
  }));
  const relations = [...objects, ...files].map((object) => {
    const id = String(object['id']);
    return {
      ...common,
      type: 'relationship',
      id: stixId('relationship', `${incidentId} ${id}`),
      relationship_type: 'related-to',
      source_ref: incidentId,
      target_ref: id,
    };
  });
  const identity = {
    type: 'identity',
    spec_version: '2.1',
    id: author,
    created: TLP_CREATED,
    modified: TLP_CREATED,
    name: 'Cordon',
    identity_class: 'system',
  };
  return {
    type: 'bundle',
    id: stixId('bundle', `${of.id} ${of.updatedAt}`),
    objects: [markingOf(of.tlp), identity, incident, ...objects, ...files, ...relations],
  };
}
