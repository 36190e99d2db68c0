import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where the worker serves the tool that a drill's stolen token leads to: made-up records, nothing else. */
export const DRILL_TARGET_PATH = '/drills/target';
const RECORDS = 25;

const operation = (id: string, path: string, method: 'get' | 'post') => ({
  [path]: { [method]: { operationId: id, tags: ['drill'], responses: { 200: { description: 'made up' } } } },
});

/** What an attacker looks for first in a tool: who is there, which keys, what can be taken at once. */
export const DRILL_TARGET_DESCRIPTION = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Target of an exercise', version: '1' },
  paths: {
    ...operation('records.list', '/records', 'get'),
    ...operation('contacts.list', '/contacts', 'get'),
    ...operation('tickets.list', '/tickets', 'get'),
    ...operation('users.list', '/users', 'get'),
    ...operation('keys.list', '/keys', 'get'),
    ...operation('files.list', '/files', 'get'),
    ...operation('settings.get', '/settings', 'get'),
    ...operation('webhooks.list', '/webhooks', 'get'),
    ...operation('audit.list', '/audit-log', 'get'),
    ...operation('exports.start', '/exports', 'post'),
    ...operation('queries.run', '/queries', 'post'),
  },
});

/** Answers a call that the gateway let through; false: it is none of a drill's. */
export function answerDrillTarget(request: IncomingMessage, response: ServerResponse): boolean {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (!path.startsWith(`${DRILL_TARGET_PATH}/`)) return false;
  request.resume();
  const items = Array.from({ length: RECORDS }, (_, place) => ({
    id: createHash('sha256').update(`${path} ${place}`).digest('hex').slice(0, 12),
    name: `Exercise record ${place + 1}`,
  }));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items }));
  return true;
}
