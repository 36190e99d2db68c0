import { Refusal } from '../errors.ts';
import { checkFields, checkFraming, checkReady, HOST, TARGET } from '../steps/accept-request.ts';
import type { Hook, HookTarget } from './hook.ts';

export const HOOKS_PREFIX = '/hooks/';
const PATH = /^\/hooks\/([0-9a-f-]{36})((?:\/[^?]*)?)(?:\?.*)?$/;
const METHODS = new Set(['GET', 'POST']);

function unknown(): Refusal {
  return new Refusal(
    'gateway.webhook_unknown',
    'No webhook endpoint has this address. Copy it again from the endpoint’s page in Cordon.',
  );
}

/** Takes a request in: well-formed, for an endpoint that is in use, of an app and an integration that are. */
export function acceptHook(hook: Hook): void {
  const { request, runtime } = hook;
  const { gateway } = runtime;
  checkFields(request, gateway.limits.headerCountMax);
  checkFraming(request);
  if (!METHODS.has(hook.method)) {
    throw new Refusal('gateway.method_refused', `The method ${hook.method} is not served here.`, {
      headers: [['Allow', [...METHODS].join(', ')]],
    });
  }
  hook.host = request.headers.host ?? '';
  const url = request.url ?? '';
  if (url.length > gateway.limits.pathBytesMax) {
    throw new Refusal('gateway.path_too_long', `Paths have at most ${gateway.limits.pathBytesMax} bytes.`);
  }
  if (!HOST.test(hook.host) || !TARGET.test(url)) {
    throw new Refusal('gateway.request_malformed', 'The request has no proper Host field or target.');
  }
  checkReady(gateway, hook.tables);
  hook.target = findTarget(hook, url);
  if (gateway.spool.full || runtime.isFull()) {
    throw new Refusal('gateway.spool_full', 'The gateway cannot store more deliveries now. Send it again later.', {
      headers: [['Retry-After', '30']],
    });
  }
}

function findTarget(hook: Hook, url: string): HookTarget {
  const match = PATH.exec(url);
  const tables = hook.tables!; // checkReady refused the request otherwise
  const entry = match ? tables.webhook(match[1]!) : undefined;
  const app = entry ? tables.app(entry.appId)?.entry : undefined;
  const integration = entry ? tables.integration(entry.integrationId) : undefined;
  if (!match || !entry || !app || !integration || entry.status === 'disabled') throw unknown();
  // A suspended integration's deliveries are kept for when it is back; one that was cut off gets nothing any more.
  if (integration.status === 'revoked') throw unknown();
  return { plan: hook.runtime.plans.plan(entry), app, integration, rest: match[2] ?? '' };
}
