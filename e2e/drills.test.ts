import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** Drills on the running product: a live fire with a really stolen token at several gateway processes, and a tabletop. */

const PROCESSES = 3;
const DRILL_MS_MAX = 120_000;
const DETECT_MS_MAX = 10_000;
const CONTAIN_MS_MAX = 1_000;
let cordon: RunningCordon;
let outside: { readonly url: string; readonly received: string[]; stop(): Promise<void> };

/** A chat webhook that must hear nothing of a drill. */
async function startOutside(): Promise<typeof outside> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      received.push(Buffer.concat(chunks as Buffer[]).toString());
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

beforeAll(async () => {
  [cordon, outside] = await Promise.all([startCordon({ processes: PROCESSES }), startOutside()]);
}, 240_000);
afterAll(async () => {
  await cordon?.stop();
  await outside?.stop();
});

const drillOf = async (id: string) => taken(await cordon.api.GET('/api/v1/drills/{id}', { params: { path: { id } } }));

async function begin(body: { scenario: string; mode: 'live-fire' | 'tabletop'; decide?: 'drill' | 'person' }) {
  const made = taken(await cordon.api.POST('/api/v1/drills', { body }));
  taken(await cordon.api.POST('/api/v1/drills/{id}/start', { params: { path: { id: made.id } } }));
  return made.id;
}

const untilOver = (id: string) =>
  eventually(async () => {
    const found = await drillOf(id);
    expect(found.endedAt, `${found.status}: ${JSON.stringify(found.entries.at(-1))}`).not.toBeNull();
    return found;
  }, DRILL_MS_MAX);

test('a stolen token is seen within ten seconds and refused at every gateway within one, by the drill’s own measure', async () => {
  const channel = { kind: 'chat' as const, name: 'incidents', url: outside.url, privateAddresses: ['127.0.0.1'] };
  taken(await cordon.api.POST('/api/v1/channels', { body: channel }));
  const target = { template: null, quiet: null, name: 'pager', url: outside.url, levelMin: 'low' as const, privateAddresses: ['127.0.0.1'] };
  taken(await cordon.api.POST('/api/v1/notification-targets', { body: { kind: 'webhook', ...target } }));
  const id = await begin({ scenario: 'stolen-oauth-token', mode: 'live-fire', decide: 'drill' });
  const drill = await untilOver(id);
  const { markdown } = taken(await cordon.api.GET('/api/v1/drills/{id}/report', { params: { path: { id } } }));
  console.log(markdown);
  expect(drill.status, drill.error ?? '').toBe('ended');
  expect(drill.score?.measures.detectMs).toBeLessThan(DETECT_MS_MAX);
  expect(drill.score?.measures.cutOffMs).toBeLessThan(CONTAIN_MS_MAX);
  expect(drill.score?.measures.gateways).toBe(PROCESSES);
  expect(drill.objects.filter(({ removedAt }) => removedAt === null)).toEqual([]);
  expect(outside.received.filter((text) => /drill|exercise|stolen|scope/i.test(text))).toEqual([]);
  const alerts = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { limit: 50 } } }));
  expect(alerts.items.filter(({ drill: of }) => of !== null)).toEqual([]);
});
