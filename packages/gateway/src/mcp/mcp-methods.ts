import type { McpItemEntry, McpSettings } from '@cordon/policy';
import type { Repeatable } from '../upstream-tries.ts';

/** What a client's request is about. `session`: no single operation; anyone with a grant on the app may ask. */
export type MethodRule =
  | { readonly kind: 'session' }
  | { readonly kind: 'list'; readonly of: 'tools' | 'prompts' | 'resources' | 'resourceTemplates' }
  | { readonly kind: 'tool' | 'prompt' | 'resource' | 'completion' };

/** Requests that a client may send. Everything else, tasks included, is answered with "method not found". */
export const CLIENT_REQUESTS: Readonly<Record<string, MethodRule>> = {
  initialize: { kind: 'session' },
  ping: { kind: 'session' },
  'logging/setLevel': { kind: 'session' },
  'tools/list': { kind: 'list', of: 'tools' },
  'tools/call': { kind: 'tool' },
  'prompts/list': { kind: 'list', of: 'prompts' },
  'prompts/get': { kind: 'prompt' },
  'resources/list': { kind: 'list', of: 'resources' },
  'resources/templates/list': { kind: 'list', of: 'resourceTemplates' },
  'resources/read': { kind: 'resource' },
  'resources/subscribe': { kind: 'resource' },
  'resources/unsubscribe': { kind: 'resource' },
  'completion/complete': { kind: 'completion' },
};

/** Setting a level or a subscription twice changes nothing more; a second `initialize` would leave a session behind. */
const ONCE_MORE: Readonly<Record<string, Repeatable>> = {
  initialize: 'idempotent',
  'logging/setLevel': 'idempotent',
  'resources/subscribe': 'idempotent',
  'resources/unsubscribe': 'idempotent',
};

/** What sending a request again would do. A tool is safe when it was accepted as one that reads. */
export function repeatableRequest(method: string, item: McpItemEntry | undefined): Repeatable {
  if (method === 'tools/call') return item?.access === 'read' ? 'safe' : 'never';
  return ONCE_MORE[method] ?? 'safe';
}

/** Members of params that a judged request may have: what isn't named here was judged by nobody. */
export const PARAMS: Readonly<Record<string, readonly string[]>> = {
  'tools/call': ['name', 'arguments', '_meta'],
  'prompts/get': ['name', 'arguments', '_meta'],
  'resources/read': ['uri', '_meta'],
  'resources/subscribe': ['uri', '_meta'],
  'resources/unsubscribe': ['uri', '_meta'],
  'completion/complete': ['ref', 'argument', 'context', '_meta'],
};

export const CLIENT_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
]);

/** Passed on from the server; anything else is dropped. */
export const SERVER_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
  'notifications/cancelled',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
]);

/** Whether a request from the server reaches the client. */
export function allowsServerRequest(method: string, settings: McpSettings): boolean {
  switch (method) {
    case 'ping':
      return true;
    case 'sampling/createMessage':
      return settings.sampling === 'allow';
    case 'elicitation/create':
      return settings.elicitation === 'allow';
    case 'roots/list':
      return settings.roots === 'allow';
    default:
      return false;
  }
}

/** Members of an object in which both sides say what they can do, kept as the settings allow. */
export function clientCapabilities(given: Record<string, unknown>, settings: McpSettings): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of ['sampling', 'elicitation', 'roots'] as const) {
    if (settings[name] === 'allow' && given[name] !== undefined) kept[name] = given[name];
  }
  return kept;
}

const SERVER_CAPABILITIES = ['tools', 'prompts', 'resources', 'completions', 'logging'];

export function serverCapabilities(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(SERVER_CAPABILITIES.filter((name) => name in given).map((name) => [name, given[name]]));
}
