import { loadDetectors } from '@cordon/classifier';
import { listConnections, type Manifests, readPosture } from '@cordon/connectors';
import { type App, listApps, listCredentials, listGrants, listIntegrations } from '@cordon/estate';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { type AppHost, type ClientGrant, DATA_LABELS, type FindClientGrants, type Observe } from '@cordon/vendors';
import { clientOf, entitiesOf } from '../discovery/tool-reads.ts';

const WINDOW_MS = 90 * 86_400_000;
const TRAFFIC_ROWS_MAX = 10_000;
/** Credentials that neither end nor are renewed by themselves. */
const STATIC_KINDS: readonly string[] = [
  'bearer',
  'basic',
  'api-key-header',
  'api-key-query',
  'api-key-form',
  'aws-sigv4',
  'google-service-account',
];

/** What a grant is once it lets nobody in any more. */
const ENDED: readonly string[] = ['revoked', 'suspended'];

type Label = (typeof DATA_LABELS)[number];

/** The most harmful label of a class; what no detector knows counts as confidential. */
function labels(): (dataClass: string) => Label {
  const worst = new Map<string, Label>();
  for (const { class: name, label } of loadDetectors()) {
    const known = worst.get(name);
    if (known === undefined || DATA_LABELS.indexOf(label) < DATA_LABELS.indexOf(known)) worst.set(name, label);
  }
  return (dataClass) => worst.get(dataClass) ?? 'confidential';
}

type Selector = Awaited<ReturnType<typeof listGrants>>[number]['select'][number];

/** What a grant's selector lets through at most; operations that are only named may write. */
function reachOf(select: readonly Selector[]): 'all' | 'write' | 'read' {
  const reaches = select.map((one): 'all' | 'write' | 'read' => {
    if (one.kind === 'access') return one.access === 'any' ? 'all' : one.access === 'read' ? 'read' : 'write';
    if (one.kind === 'tag') return one.access === 'read' ? 'read' : 'write';
    if (one.kind === 'path') return ['GET', 'HEAD', 'OPTIONS'].includes(one.method) ? 'read' : 'write';
    return 'write';
  });
  return (['all', 'write'] as const).find((reach) => reaches.includes(reach)) ?? 'read';
}

export interface ObservedDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Pick<Lake, 'traffic' | 'usage'>;
  readonly manifests: Manifests;
}

/** What the estate, the lake and the connectors saw of some apps. */
export function createObserve({ db, clock, lake, manifests }: ObservedDeps): Observe {
  const labelOf = labels();

  const dataOf = async (apps: ReadonlyMap<string, App>, from: number, to: number) => {
    const found = new Map<string, { appId: string; dataClass: string; values: number }>();
    for (const { appId, dataClass, values } of await lake.usage.exposure({ from, to })) {
      if (!apps.has(appId)) continue;
      const key = `${appId} ${dataClass}`;
      const known = found.get(key) ?? { appId, dataClass, values: 0 };
      found.set(key, { ...known, values: known.values + values });
    }
    return [...found.values()]
      .toSorted((a, b) => a.appId.localeCompare(b.appId) || a.dataClass.localeCompare(b.dataClass))
      .map((one) => ({ ...one, app: apps.get(one.appId)?.name ?? one.appId, label: labelOf(one.dataClass) }));
  };

  const staticKeysOf = async (apps: ReadonlyMap<string, App>) => {
    const lists = await Promise.all(
      [...apps.values()].map(async ({ id, name }) =>
        (await listCredentials(db, id)).flatMap((one) =>
          STATIC_KINDS.includes(one.kind) && one.stage === 'current' && one.expiresAt === null
            ? [{ id: one.id, appId: id, app: name, kind: one.kind, createdAt: one.createdAt }]
            : [],
        ),
      ),
    );
    return lists.flat();
  };

  const postureOf = async (apps: ReadonlyMap<string, App>) => {
    const names = new Set([...apps.values()].flatMap(({ name, title }) => [name.toLowerCase(), title.toLowerCase()]));
    const failing = [];
    for (const connection of await listConnections(db)) {
      const title = manifests.find(connection.app)?.manifest.title ?? connection.app;
      if (!names.has(connection.app.toLowerCase()) && !names.has(title.toLowerCase())) continue;
      const { items } = await readPosture({ db, clock, manifests }, connection);
      for (const { check, title: what, severity, result, exception } of items) {
        // Somebody answers for an exception; that is no longer said against the vendor.
        if (result !== 'fail' || exception?.state === 'active' || severity === 'info') continue;
        failing.push({ connectionId: connection.id, connection: connection.name, check, title: what, severity });
      }
    }
    return failing;
  };

  return async (appIds) => {
    const wanted = new Set(appIds);
    const apps = new Map((await listApps(db)).filter(({ id }) => wanted.has(id)).map((app) => [app.id, app]));
    const to = clock.now() + 1;
    const from = to - WINDOW_MS;
    if (apps.size === 0) return { data: [], grants: [], calls: 0, staticKeys: [], posture: [] };
    const [traffic, grants, integrations] = await Promise.all([
      lake.traffic({ by: ['app'], from, to, limit: TRAFFIC_ROWS_MAX }),
      listGrants(db),
      listIntegrations(db),
    ]);
    const live = new Map(integrations.filter(({ status }) => status !== 'revoked').map((one) => [one.id, one.name]));
    return {
      data: await dataOf(apps, from, to),
      grants: grants.flatMap(({ id, appId, integrationId, select }) => {
        const [app, integration] = [apps.get(appId), live.get(integrationId)];
        return app && integration ? [{ id, integrationId, integration, app: app.name, reach: reachOf(select) }] : [];
      }),
      calls: traffic.reduce((sum, { app, calls }) => sum + (app && apps.has(app.id) ? calls : 0), 0),
      staticKeys: await staticKeysOf(apps),
      posture: await postureOf(apps),
    };
  };
}

const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** The hosts that apps' calls go to, with what an administrator allowed for each. */
export async function appHosts(db: Database, appIds: readonly string[]): Promise<AppHost[]> {
  const wanted = new Set(appIds);
  const apps = (await listApps(db)).filter(({ id }) => wanted.has(id));
  return apps.flatMap(({ name, settings }) =>
    [settings.upstream, ...settings.hosts.map(({ upstream }) => upstream)].map((address) => {
      const url = new URL(address);
      const isPlain = url.protocol === 'http:';
      return {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port === '' ? (isPlain ? HTTP_PORT : HTTPS_PORT) : Number(url.port),
        isPlain,
        app: name,
        privateAddresses: settings.privateAddresses,
        authorities: settings.caCertificates,
      };
    }),
  );
}

/** Grants that connected tools show for OAuth clients, by client id. */
export function createFindGrants(db: Database): FindClientGrants {
  return async (clientIds) => {
    const found: ClientGrant[] = [];
    for (const { id: connectionId, name } of await listConnections(db)) {
      for await (const { entity } of entitiesOf(db, connectionId, 'grant')) {
        const client = clientOf(entity, clientIds);
        if (client === null || entity.type !== 'grant' || ENDED.includes(entity.status)) continue;
        const clientName = entity.client?.name ?? entity.subject.name ?? client;
        const text = `${clientName} at ${name}: ${entity.kind} ${entity.scopes?.join(' ') ?? ''}`.trim();
        found.push({ clientId: client, clientName, ref: `${connectionId}:${entity.id}`, text, connectionId });
      }
    }
    return found;
  };
}
