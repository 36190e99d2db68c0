import type { IndicatorIndex, IndicatorMatch } from './indicator-index.ts';
import type { NetworkLookup } from './network-database.ts';
import { at, fieldsOf, observablesOf, textAt } from './observables.ts';
import type { NetworkFacts, NetworkFlag } from './range-table.ts';
import { type SeenStore, type Sighting, sightingKey } from './seen-store.ts';
import { parseUserAgent } from './user-agent.ts';

/** The estate as enrichment sees it: the composition root keeps it fresh. */
export interface EstateDirectory {
  /** The app that a vendor's product or host is, with the label of its data. */
  app(
    product: string,
    host: string,
  ): { readonly id: string; readonly name: string; readonly label: string | null } | null;
  appById(id: string): { readonly id: string; readonly name: string; readonly label: string | null } | null;
  person(email: string): { readonly id: string; readonly name: string } | null;
}

/** An event on its way into the lake; `ocsf` is changed by nobody but `enrichAll`. */
export interface Enrichable {
  readonly id: string;
  readonly time: number;
  readonly product: string;
  readonly ocsf: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

interface Draft {
  readonly event: Enrichable;
  readonly facts: NetworkFacts;
  readonly matches: readonly IndicatorMatch[];
  readonly sightings: readonly Sighting[];
  readonly enrichment: Fields;
}

export interface EnricherDeps {
  readonly networks: NetworkLookup;
  readonly indicators: () => IndicatorIndex;
  readonly estate: () => EstateDirectory;
  readonly seen: SeenStore;
}

export interface Enricher {
  /** The events' OCSF forms with what is known about them, in the same order. */
  enrichAll(events: readonly Enrichable[], now: number): Promise<Fields[]>;
}

/** Detection findings say what was thought of events; they are stored as they are. */
const FINDING_CLASS = 2004;

export function createEnricher(deps: EnricherDeps): Enricher {
  return {
    async enrichAll(events, now) {
      const drafts = events.map((event) => draft(event, deps, now));
      const sightings = drafts.flatMap((one) => one.sightings);
      const firsts = sightings.length === 0 ? new Map<string, string>() : await deps.seen.firstEvents(sightings, now);
      return drafts.map((one) => finish(one, firsts));
    },
  };
}

function draft(event: Enrichable, deps: EnricherDeps, now: number): Draft {
  const { ocsf } = event;
  if (at(ocsf, 'class_uid') === FINDING_CLASS) {
    return { event, facts: {}, matches: [], sightings: [], enrichment: {} };
  }
  const facts = deps.networks.lookup(textAt(ocsf, 'src_endpoint', 'ip'));
  const matches = deps.indicators().match(observablesOf(ocsf), now);
  const agent = textAt(ocsf, 'http_request', 'user_agent');
  const client = parseUserAgent(agent);
  const estate = deps.estate();
  const host = textAt(ocsf, 'http_request', 'url', 'hostname');
  const app = estate.appById(textAt(ocsf, 'api', 'service', 'uid')) ?? estate.app(event.product, host);
  const email = textAt(ocsf, 'actor', 'user', 'email_addr') || textAt(ocsf, 'user', 'email_addr');
  const person = email === '' ? null : estate.person(email.toLowerCase());
  const enrichment: Fields = {
    ...(client && { client }),
    ...(app && { app: { uid: app.id, name: app.name } }),
    ...(app?.label && { label: app.label }),
    ...(person && { person: { uid: person.id, name: person.name } }),
  };
  return { event, facts, matches, enrichment, sightings: sightingsOf(event, facts, client?.name ?? '', app?.id ?? '') };
}

function sightingsOf(event: Enrichable, facts: NetworkFacts, client: string, app: string): Sighting[] {
  const actor = actorOf(event);
  if (actor === '') return [];
  const network = facts.asn === undefined ? '' : `AS${facts.asn}`;
  const values = { actor: 'seen', country: facts.country ?? '', network, client, app } as const;
  return (Object.entries(values) as [Sighting['facet'], string][]).flatMap(([facet, value]) =>
    // its own keys
    value === '' ? [] : [{ actor, facet, value, eventId: event.id, time: event.time }],
  );
}

/** Who acted, under one name over all products where the event has an address. */
function actorOf({ ocsf, product }: Enrichable): string {
  const integration = textAt(ocsf, 'actor', 'app_uid');
  const email = textAt(ocsf, 'actor', 'user', 'email_addr') || textAt(ocsf, 'user', 'email_addr');
  if (email !== '') return `person:${email.toLowerCase()}`;
  if (integration !== '') return `app:${product}:${integration}`;
  const uid = textAt(ocsf, 'actor', 'user', 'uid');
  return uid === '' ? '' : `account:${product}:${uid}`;
}

function finish({ event, facts, matches, sightings, enrichment }: Draft, firsts: ReadonlyMap<string, string>): Fields {
  const ocsf = fieldsOf(event.ocsf);
  const isFirst = (sighting: Sighting): boolean => firsts.get(sightingKey(sighting)) === event.id;
  // To somebody who was never seen before everything is new: that alone is said then.
  const isNewcomer = sightings.some((one) => one.facet === 'actor' && isFirst(one));
  const firstSeen = sightings.filter((one) => isFirst(one) && (one.facet === 'actor' || !isNewcomer));
  const flags: NetworkFlag[] = [
    ...(facts.flags ?? []),
    ...matches.flatMap(({ meaning }) => (meaning === 'threat' ? [] : [meaning])),
  ];
  const threats = matches.filter(({ meaning }) => meaning === 'threat');
  const known: Fields = {
    ...enrichment,
    ...(flags.length > 0 && { network: [...new Set(flags)] }),
    ...(threats.length > 0 && { threats: [...new Set(threats.map(({ list }) => list))], indicators: threats }),
    ...(firstSeen.length > 0 && { first_seen: firstSeen.map(({ facet }) => facet) }),
  };
  const source = fieldsOf(ocsf['src_endpoint']);
  const place = fieldsOf(source['location']);
  const endpoint: Fields = {
    ...source,
    // What the vendor says of the place stays; the database fills what it leaves open or writes in words.
    ...(facts.country !== undefined && {
      location: { ...place, country: /^[A-Z]{2}$/.test(textAt(place, 'country')) ? place['country'] : facts.country },
    }),
    ...(facts.asn !== undefined && {
      autonomous_system: { number: facts.asn, ...(facts.organisation !== undefined && { name: facts.organisation }) },
    }),
  };
  return {
    ...ocsf,
    ...(ocsf['src_endpoint'] !== undefined && { src_endpoint: endpoint }),
    ...(Object.keys(known).length > 0 && { unmapped: { ...fieldsOf(ocsf['unmapped']), enrichment: known } }),
  };
}
