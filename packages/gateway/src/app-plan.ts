import type { AppEntry } from '@cordon/policy';
import { checkLiteralHost } from './egress-guard.ts';
import type { LinkTarget } from './link-rewriter.ts';

/** One upstream host of an app, ready for use. */
export interface UpstreamTarget {
  readonly origin: string;
  readonly hostname: string;
  /** The `Host` field, with the port when it isn't the scheme's own. */
  readonly host: string;
  readonly basePath: string;
  /** Where on a shared listener it is served: `/github`, `/github~uploads`. */
  readonly prefix: string;
  /** Set when the app may not be called at all, with the reason for the caller. */
  readonly refusal: string | undefined;
}

/** An app's entry with everything derived from it that calls need. Immutable; kept as long as the entry is. */
export interface AppPlan {
  readonly entry: AppEntry;
  readonly main: UpstreamTarget;
  readonly byRole: ReadonlyMap<string, UpstreamTarget>;
  /** URL rewriting for clients that come by path prefix, and for those that have the app's own host or port. */
  readonly sharedLinks: readonly LinkTarget[];
  readonly ownLinks: readonly LinkTarget[];
}

function planTarget(upstream: string, prefix: string, entry: AppEntry): UpstreamTarget {
  const url = new URL(upstream);
  return {
    origin: url.origin,
    hostname: url.hostname,
    host: url.host,
    basePath: url.pathname === '/' ? '' : url.pathname,
    prefix,
    refusal: findRefusal(url, entry),
  };
}

function findRefusal(url: URL, entry: AppEntry): string | undefined {
  if (url.protocol === 'http:' && entry.plaintext !== 'allow') {
    return `The upstream ${url.origin} is plain HTTP, which this app does not allow.`;
  }
  try {
    checkLiteralHost(url.hostname, entry.privateAddresses);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function linkOf(target: UpstreamTarget, prefix: string): LinkTarget {
  return { host: target.host, basePath: target.basePath, prefix };
}

export function planApp(entry: AppEntry): AppPlan {
  const main = planTarget(entry.upstream, `/${entry.name}`, entry);
  const byRole = new Map(
    entry.hosts.map((host) => [host.role, planTarget(host.upstream, `/${entry.name}~${host.role}`, entry)]),
  );
  const roles = [...byRole.values()].map((target) => linkOf(target, target.prefix));
  const aliases = (prefix: string) =>
    entry.rewriteHosts.map((host): LinkTarget => ({ host, basePath: main.basePath, prefix }));
  return {
    entry,
    main,
    byRole,
    sharedLinks: [linkOf(main, main.prefix), ...roles, ...aliases(main.prefix)],
    ownLinks: [linkOf(main, ''), ...roles, ...aliases('')],
  };
}

/** What a path on a listener means: the upstream it goes to and the path below its base, query included. */
export interface Located {
  readonly app: AppPlan;
  readonly target: UpstreamTarget;
  readonly path: string;
  readonly links: readonly LinkTarget[];
}

/** Splits `/github~uploads/repos?x=1` into app, host role and rest. `own` is the app that the whole listener serves. */
export function locate(
  url: string,
  own: AppPlan | undefined,
  byName: ReadonlyMap<string, AppPlan>,
): Located | undefined {
  let end = 1;
  while (end < url.length && url.charCodeAt(end) !== 0x2f && url.charCodeAt(end) !== 0x3f) end++;
  const segment = url.slice(1, end);
  const rest = end === url.length ? '/' : url.charCodeAt(end) === 0x3f ? `/${url.slice(end)}` : url.slice(end);
  const tilde = segment.indexOf('~');
  const name = tilde === -1 ? segment : segment.slice(0, tilde);
  if (own && (tilde === -1 || name !== own.entry.name)) {
    return { app: own, target: own.main, path: url, links: own.ownLinks };
  }
  const app = own ?? byName.get(name);
  if (!app) return undefined;
  const target = tilde === -1 ? app.main : app.byRole.get(segment.slice(tilde + 1));
  if (!target) return undefined;
  return { app, target, path: rest, links: own ? app.ownLinks : app.sharedLinks };
}
