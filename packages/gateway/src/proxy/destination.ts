import { getEntry } from '@cordon/policy';
import type { AppPlan, UpstreamTarget } from '../app-plan.ts';
import { checkLiteralHost } from '../egress-guard.ts';
import { GatewayError, Refusal } from '../errors.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';

export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** What happens to a connection. `open`: TLS is opened and each call takes the whole pipeline. */
export type ProxyDecision =
  | { readonly kind: 'open'; readonly app: AppPlan; readonly target: UpstreamTarget }
  | { readonly kind: 'tunnel'; readonly app: AppPlan | undefined };

/** `host:port` as CONNECT has it (RFC 9110, section 9.3.6), or null. */
export function readAuthority(authority: string, defaultPort?: number): Destination | null {
  const match = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}))(?::(\d{1,5}))?$/.exec(authority);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (!match || port === undefined || port < 1 || port > 65_535) return null;
  const host = match[1]!.toLowerCase().replace(/\.$/, '');
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port };
}

const blockedSets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Whether a host is forbidden, or lies beneath one that is. */
function isBlocked(blocked: readonly string[], host: string): boolean {
  if (blocked.length === 0) return false;
  const known = blockedSets.get(blocked) ?? new Set(blocked);
  blockedSets.set(blocked, known);
  for (let rest = host; rest.includes('.'); rest = rest.slice(rest.indexOf('.') + 1)) if (known.has(rest)) return true;
  return false;
}

/** @throws {Refusal} */
export function judgeDestination(
  tables: SnapshotTables,
  integrationId: string,
  { host, port }: Destination,
): ProxyDecision {
  if (isBlocked(tables.proxy?.blocked ?? [], host)) {
    throw new Refusal(
      'gateway.proxy_refused',
      `${host} belongs to an app that was reviewed and forbidden. The attempt is recorded; ask a security engineer for the reason.`,
      { detail: { host, forbidden: true } },
    );
  }
  const known = tables.byUpstream(host, port);
  if (known) {
    const { app, target } = known;
    if (target.refusal !== undefined) throw new Refusal('gateway.upstream_forbidden', target.refusal);
    const { forwardProxy, title } = app.entry;
    if (forwardProxy === 'refuse') {
      throw new Refusal(
        'gateway.proxy_refused',
        `${title} is reached through the gateway’s own address, not through the proxy. An administrator can let the proxy open or tunnel it.`,
        { detail: { app: app.entry.name } },
      );
    }
    if (!tables.hasGrant(integrationId, app.entry.id)) {
      throw new Refusal('gateway.not_authorized', `This integration has no grant for ${title}.`, {
        detail: { app: app.entry.name },
      });
    }
    return forwardProxy === 'inspect' ? { kind: 'open', app, target } : { kind: 'tunnel', app };
  }
  const settings = tables.proxy;
  if (settings?.unknown !== 'observe') {
    throw new Refusal(
      'gateway.proxy_refused',
      `${host} belongs to no app that Cordon knows, and unknown destinations are refused. The attempt is recorded; ask a security engineer to review it.`,
      { detail: { host } },
    );
  }
  if (!settings.ports.includes(port)) {
    throw new Refusal(
      'gateway.proxy_refused',
      `Unknown destinations are reached on port ${settings.ports.join(', ')} only.`,
      { detail: { host, port } },
    );
  }
  try {
    checkLiteralHost(host, []);
  } catch (error) {
    throw new Refusal(
      'gateway.upstream_forbidden',
      error instanceof GatewayError ? error.message : 'The address is not allowed.',
    );
  }
  return { kind: 'tunnel', app: undefined };
}

/** The proxy's settings as the snapshot has them. */
export function proxySettings(entries: Parameters<typeof getEntry>[0]) {
  return getEntry(entries, 'proxy', 'settings');
}
