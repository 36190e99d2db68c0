import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import type { Vendor } from '../register/vendor.ts';
import { listVendors, loadVendor, updateVendor } from '../register/vendor-store.ts';
import { vendorProfile } from '../register/vendor.ts';
import { changesOf, type HostObservation } from './host.ts';
import { type HostPlace, saveObservation, setHosts, takeDueHosts, type WatchedHost } from './host-store.ts';
import { tellNews } from './news.ts';
import type { ProbeReach, ProbeTarget } from './probe.ts';

const LOOK_EVERY_MS = 12 * 3_600_000;
/** A round looks at so many hosts, one after the other: vendors should not feel it. */
const HOSTS_A_ROUND_MAX = 5;
const HTTPS_PORT = 443;

/** A host as an app's settings have it. */
export interface AppHost extends ProbeTarget {
  readonly app: string;
  readonly privateAddresses: readonly string[];
  readonly authorities: readonly string[];
}

export interface WatchContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly publicUrl: string;
  /** The hosts of these apps, with what an administrator allowed for them. */
  readonly hostsOf: (appIds: readonly string[]) => Promise<readonly AppHost[]>;
  /** The way out, to public addresses and to exactly these private ones. */
  readonly reach: (privateAddresses: readonly string[], authorities: readonly string[]) => ProbeReach;
  readonly probe: (target: ProbeTarget, reach: ProbeReach, now: number) => Promise<HostObservation>;
}

const isWatched = ({ stage }: Vendor): boolean => stage !== 'ended';

function placesOf(vendor: Vendor, hosts: readonly AppHost[]): HostPlace[] {
  const apps = hosts.map(({ host, port, app }) => ({ host, port, source: `app ${app}` }));
  const site = vendor.profile.website === null ? null : new URL(vendor.profile.website);
  // A website on HTTP is asked over TLS too: what is looked for is the company's own presence.
  if (!site) return apps;
  const port = site.protocol === 'https:' && site.port !== '' ? Number(site.port) : HTTPS_PORT;
  return [{ host: site.hostname, port, source: 'website' }, ...apps];
}

async function syncHosts({ db, clock, hostsOf }: WatchContext): Promise<void> {
  for (const vendor of await listVendors(db)) {
    const places = isWatched(vendor) ? placesOf(vendor, await hostsOf(vendor.appIds)) : [];
    await setHosts(db, vendor.id, places, clock.now());
  }
}

async function look(context: WatchContext, watched: WatchedHost): Promise<void> {
  const { db, clock } = context;
  const vendor = await loadVendor(db, watched.vendorId);
  const settings = (await context.hostsOf(vendor.appIds)).find(
    ({ host, port }) => host === watched.host && port === watched.port,
  );
  const reach = context.reach(settings?.privateAddresses ?? [], settings?.authorities ?? []);
  const { host, port } = watched;
  const seen = await context.probe({ host, port, isPlain: settings?.isPlain ?? false }, reach, clock.now());
  const changes = changesOf(watched.observation, seen, clock.now());
  await db.transaction(async (tx) => {
    const at = clock.now();
    await saveObservation(tx, watched.id, seen, at + LOOK_EVERY_MS);
    const items = changes.map(({ code, severity, text }) => ({
      kind: 'host' as const,
      severity,
      title: `${host}: ${text}`,
      detail: { host, port, code },
    }));
    await tellNews(tx, context, vendor, items, at);
    if (seen.securityTxt === null || seen.securityTxt.contacts.length === 0) return;
    const { contacts, policy, expires } = seen.securityTxt;
    const profile = vendorProfile.parse({ ...vendor.profile, securityTxt: { contacts, policy, expires, readAt: at } });
    await updateVendor(tx, vendor.id, { profile, at: new Date(vendor.updatedAt) });
  });
}

/** One round: brings the list of hosts up to date, and looks at those that are due. Returns how many it looked at. */
export async function watchHosts(context: WatchContext): Promise<number> {
  await syncHosts(context);
  const due = await takeDueHosts(context.db, context.clock.now(), HOSTS_A_ROUND_MAX);
  for (const one of due) await look(context, one);
  return due.length;
}
