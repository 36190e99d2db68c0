import type { Queryable } from '@cordon/kernel';
import { listFlows } from './flow-store.ts';
import { listProcessing, type ProcessingActivity } from './processing-record.ts';
import type { DpvTerms, Regions } from './taxonomy.ts';
import { dpvTermOf } from './transfer-instrument.ts';
import { countryOf, listTransfers, type Transfer } from './transfer-register.ts';

const CONTEXT = {
  dpv: 'https://w3id.org/dpv#',
  pd: 'https://w3id.org/dpv/pd#',
  loc: 'https://w3id.org/dpv/loc#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  dct: 'http://purl.org/dc/terms/',
} as const;

interface Reference {
  readonly '@id': string;
}
type Node = Readonly<Record<string, unknown>>;

/** JSON-LD 1.1 in the terms of the W3C Data Privacy Vocabulary 2.2. */
export interface DpvDocument {
  readonly '@context': typeof CONTEXT;
  readonly '@graph': readonly Node[];
}

/** The term of a fideslang category: its nearest ancestor's, or DPV's word for personal data as such. */
export function personalDataOf(terms: DpvTerms, category: string): Reference {
  for (let key = category; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('.')))) {
    const term = terms.personalData[key];
    if (term !== undefined) return { '@id': `pd:${term}` };
  }
  return { '@id': 'dpv:PersonalData' };
}

const idOf = (kind: string, name: string): string => `urn:cordon:${kind}:${encodeURIComponent(name)}`;
const unique = (references: readonly Reference[]): Reference[] => [
  ...new Map(references.map((one) => [one['@id'], one])).values(),
];

function processOf(
  activity: ProcessingActivity,
  transfer: Transfer | undefined,
  deps: DpvDeps,
  integration: string,
): Node {
  const { terms, regions } = deps;
  const basis = activity.legalBasis === null ? undefined : terms.legalBases[activity.legalBasis];
  const country = transfer?.toRegion ? countryOf(regions, transfer.toRegion) : null;
  const bases: Reference[] = [
    ...(basis === undefined ? [] : [{ '@id': `eu-gdpr:${basis}` }]),
    ...(transfer?.instrument ? [{ '@id': `eu-gdpr:${dpvTermOf(transfer.instrument)}` }] : []),
  ];
  const isAway = transfer !== undefined && country !== null;
  return {
    '@id': idOf('flow', activity.flowId),
    '@type': 'dpv:Process',
    'dct:title': `${activity.activity}: ${activity.source} to ${activity.recipient}`,
    'dpv:hasProcessing': { '@id': 'dpv:Transfer' },
    'dpv:hasPersonalData': unique(activity.categories.map((category) => personalDataOf(terms, category))),
    'dpv:hasDataSubject': unique(
      activity.subjects.map((one) => ({ '@id': `dpv:${terms.subjects[one] ?? 'DataSubject'}` })),
    ),
    'dpv:hasDataSource': { '@id': idOf('place', activity.source) },
    'dpv:hasRecipient': { '@id': idOf('place', activity.recipient) },
    'dpv:isImplementedUsingTechnology': { '@id': idOf('integration', integration) },
    ...(activity.purpose === null
      ? {}
      : { 'dpv:hasPurpose': { '@type': 'dpv:Purpose', 'dct:description': activity.purpose } }),
    ...(bases.length === 0 ? {} : { 'dpv:hasLegalBasis': bases }),
    ...(activity.erasure.length === 0
      ? {}
      : {
          'dpv:hasStorageCondition': activity.erasure.map((rule) => {
            return { '@type': 'dpv:StorageDuration', 'dct:description': rule };
          }),
        }),
    ...(isAway ? { 'dpv:hasThirdCountry': { '@id': `loc:${country.toUpperCase()}` } } : {}),
    ...(isAway && transfer.importer !== null
      ? {
          'dpv:hasDataExporter': { '@id': idOf('entity', transfer.exporter) },
          'dpv:hasDataImporter': { '@id': idOf('entity', transfer.importer) },
        }
      : {}),
  };
}

export interface DpvDeps {
  readonly terms: DpvTerms;
  readonly regions: Regions;
}

/** Flows of personal data as processes, with the places, integrations and entities that they name. Gaps are left out. */
export function dpvOf(
  activities: readonly ProcessingActivity[],
  transfers: readonly Transfer[],
  integrations: ReadonlyMap<string, string>,
  deps: DpvDeps,
): DpvDocument {
  const away = new Map(transfers.map((one) => [one.flowId, one]));
  const nodes = new Map<string, Node>();
  const name = (id: string, type: string, title: string, more: Node = {}): void => {
    nodes.set(id, { '@id': id, '@type': type, 'dct:title': title, ...nodes.get(id), ...more });
  };
  const place = (title: string, region: string | null): void => {
    const country = region === null ? null : countryOf(deps.regions, region);
    const more = country === null ? {} : { 'dpv:hasLocation': { '@id': `loc:${country.toUpperCase()}` } };
    name(idOf('place', title), 'dpv:Technology', title, more);
  };
  const processes = activities.map((activity) => {
    const transfer = away.get(activity.flowId);
    const integration = integrations.get(activity.flowId) ?? activity.activity;
    place(activity.source, activity.fromRegion);
    place(activity.recipient, activity.toRegion);
    name(idOf('integration', integration), 'dpv:Technology', activity.activity);
    const process = processOf(activity, transfer, deps, integration);
    if (transfer && 'dpv:hasDataImporter' in process && transfer.importer !== null) {
      name(idOf('entity', transfer.exporter), 'dpv:DataExporter', transfer.exporter);
      name(idOf('entity', transfer.importer), 'dpv:DataImporter', transfer.importer);
    }
    return process;
  });
  return { '@context': CONTEXT, '@graph': [...processes, ...nodes.values()] };
}

export async function exportDpv(db: Queryable, deps: DpvDeps): Promise<DpvDocument> {
  const [activities, transfers, flows] = await Promise.all([
    listProcessing(db),
    listTransfers(db, deps.regions),
    listFlows(db, {}),
  ]);
  const integrations = new Map(flows.map(({ id, integration }) => [id, integration.id]));
  return dpvOf(activities, transfers, integrations, deps);
}
