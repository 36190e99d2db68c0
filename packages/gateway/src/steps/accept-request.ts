import type { IncomingMessage } from 'node:http';
import { type AppPlan, locate, type Located } from '../app-plan.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayRuntime } from '../runtime.ts';
import type { SnapshotTables } from '../snapshot-tables.ts';

export const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** RFC 9112, section 3.2: what may stand in a request target. Anything else is some parser's special case. */
export const TARGET = /^[\x21-\x22\x24-\x5b\x5d-\x5f\x61-\x7a\x7c\x7e]+$/;
/** Fields of which a second one means that two parties would read two different messages. */
const SINGULAR = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'authorization',
  'x-cordon-token',
  'client-cert',
  'dpop',
  'expect',
]);
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function malformed(message: string): Refusal {
  return new Refusal('gateway.request_malformed', message, { headers: [['Connection', 'close']] });
}

/** Returns the fields' names in lower case. */
export function checkFields(request: IncomingMessage, countMax: number): string[] {
  const raw = request.rawHeaders;
  if (raw.length / 2 > countMax) {
    throw new Refusal('gateway.headers_too_large', `A request may have at most ${countMax} header fields.`);
  }
  const names: string[] = [];
  let seen = '';
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    names.push(name);
    // A value with a line break came in by obs-fold (RFC 9112, section 5.2), which servers read differently.
    if (raw[index + 1]!.includes('\n') || raw[index + 1]!.includes('\r'))
      throw malformed('Folded header lines are refused.');
    if (!SINGULAR.has(name)) continue;
    if (seen.includes(`|${name}|`)) throw malformed(`The field ${name} occurs twice.`);
    seen += `|${name}|`;
  }
  return names;
}

export function checkFraming(request: IncomingMessage): void {
  const { headers } = request;
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor !== 1) throw malformed('Speak HTTP/1.1.');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    if (headers['content-length'] !== undefined) {
      throw malformed('A request has either Content-Length or Transfer-Encoding, not both.');
    }
    if (coding.trim().toLowerCase() !== 'chunked') throw malformed('The only transfer coding is chunked.');
  }
  if (headers['content-length'] !== undefined && !/^\d{1,15}$/.test(headers['content-length'])) {
    throw malformed('Content-Length is a decimal number.');
  }
  if (headers.upgrade !== undefined) {
    throw new Refusal(
      'gateway.upgrade_refused',
      'The gateway does not switch protocols. Send the call without Upgrade.',
    );
  }
}

/** The host name of a Host field, without port and brackets, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** The request target in origin form; the absolute form only when it names the same host as the Host field. */
function originForm(target: string, host: string): string {
  if (target.startsWith('/')) return target;
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  if (!match || match[1]!.toLowerCase() !== host.toLowerCase()) {
    throw malformed('The request target names another host than the Host field.');
  }
  const rest = match[2]!;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** `/mcp/<app>` is another address of an app that is an MCP server. */
function withoutMcpPrefix(url: string, byName: ReadonlyMap<string, AppPlan>): string {
  const name = /^\/mcp\/([^/?]+)/.exec(url)?.[1];
  return name !== undefined && byName.get(name)?.entry.mcp ? url.slice('/mcp'.length) : url;
}

/** A call that came through the proxy is addressed to the upstream itself: nothing of it is rewritten. */
function locateProxied(
  tables: SnapshotTables,
  { host, port }: { host: string; port: number },
  url: string,
): Located | undefined {
  const place = tables.byUpstream(host, port);
  if (!place) return undefined;
  const { app, target } = place;
  const below =
    target.basePath === '' || url.startsWith(`${target.basePath}/`) || url.startsWith(`${target.basePath}?`);
  if (!below) return undefined;
  const rest = url.slice(target.basePath.length);
  const links = [{ host: target.host, basePath: target.basePath, prefix: target.basePath }];
  return { app, target, path: rest.startsWith('/') ? rest : `/${rest}`, links };
}

export function checkReady(runtime: GatewayRuntime, tables: SnapshotTables | undefined): void {
  if (runtime.draining) {
    throw new Refusal('gateway.draining', 'This gateway is stopping. Try again.', {
      headers: [
        ['Retry-After', '1'],
        ['Connection', 'close'],
      ],
    });
  }
  if (!tables) {
    throw new Refusal('gateway.snapshot_missing', 'This gateway has not received its policy from control yet.', {
      headers: [['Retry-After', '2']],
    });
  }
  if (runtime.isStale()) {
    throw new Refusal(
      'gateway.snapshot_stale',
      'This gateway has not heard from control for longer than allowed, so it cannot know what was revoked. ' +
        'An operator has to bring control back.',
      { headers: [['Retry-After', '5']] },
    );
  }
}

/** Takes a request in: well-formed, unambiguous, within limits, for an app that exists. */
export function acceptRequest(exchange: Exchange): void {
  const { request, runtime, listener } = exchange;
  exchange.fieldNames = checkFields(request, runtime.limits.headerCountMax);
  checkFraming(request);
  if (!METHODS.has(exchange.method)) {
    throw new Refusal('gateway.method_refused', `The method ${exchange.method} is not served.`, {
      headers: [['Allow', [...METHODS].join(', ')]],
    });
  }
  const host = request.headers.host ?? '';
  if (!HOST.test(host)) throw malformed('The Host field is missing or not a host name.');
  const raw = request.url ?? '';
  if (raw.length > runtime.limits.pathBytesMax) {
    throw new Refusal('gateway.path_too_long', `Paths have at most ${runtime.limits.pathBytesMax} bytes.`);
  }
  if (!TARGET.test(raw)) throw malformed('The request target has characters that must be percent-encoded.');
  const url = originForm(raw, host);
  checkReady(runtime, exchange.tables);
  exchange.host = host;
  exchange.gatewayBase = listener.publicUrl ?? `${listener.secure ? 'https' : 'http'}://${host}`;
  const tables = exchange.tables!; // checkReady refused the call otherwise
  const own = listener.app === undefined ? tables.appByHost(hostName(host)) : tables.appsByName.get(listener.app);
  const shared = listener.app === undefined ? withoutMcpPrefix(url, tables.appsByName) : url;
  const located = listener.proxied
    ? locateProxied(tables, listener.proxied, url)
    : locate(shared, own, tables.appsByName);
  if (!located) {
    throw new Refusal(
      'gateway.app_unknown',
      'No app is served here. Paths begin with the name of an app, as in /github/…; an operator sees the names with `cordon apps list`.',
    );
  }
  exchange.located = located;
  exchange.path = located.path;
  if (located.target.refusal !== undefined) throw new Refusal('gateway.upstream_forbidden', located.target.refusal);
  checkSpool(exchange);
}

/** A call whose event could not be stored is refused before it does anything, unless the app says otherwise. */
function checkSpool(exchange: Exchange): void {
  if (!exchange.runtime.spool.full || exchange.app.entry.backPressure !== 'refuse') return;
  throw new Refusal(
    'gateway.spool_full',
    'The gateway cannot record more calls until its events reach the lake, and this app is set to refuse unrecorded calls.',
    { headers: [['Retry-After', '5']] },
  );
}
