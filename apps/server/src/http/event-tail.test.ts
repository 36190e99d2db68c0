import type { AddressInfo } from 'node:net';
import { type Actor, systemClock } from '@cordon/kernel';
import { createTestLogger } from '@cordon/kernel/testing';
import type { Follower, Lake } from '@cordon/lake';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createApiServer } from './api-server.ts';
import type { ApiServer } from './api-type.ts';
import { addTail, TAILS_MAX, TAILS_PER_ACTOR_MAX } from './event-tail.ts';

let server: ApiServer;
let url: string;
let allowed: boolean;
let asked: number;
const answers: Response[] = [];

beforeEach(async () => {
  allowed = true;
  asked = 0;
  ({ server } = await createApiServer({
    logger: createTestLogger(),
    clock: systemClock,
    publicUrl: 'http://localhost:7800',
    authenticate: async (request): Promise<Actor | null> => {
      asked += 1;
      const id = String(request.headers['x-test-person']);
      return allowed ? { kind: 'person', id, name: id, roles: ['auditor'] } : null;
    },
    errorTables: [],
  }));
  const next: Follower['next'] = async () => [];
  addTail(server, { follow: () => ({ next }) } as unknown as Pick<Lake, 'follow'>); // only `next` is used
  await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/api/v1/events/tail`;
});
afterEach(async () => {
  for (const answer of answers.splice(0)) await answer.body?.cancel().catch(() => undefined);
  await server.close();
});

const open = async (person: string): Promise<number> => {
  const answer = await fetch(url, { headers: { 'x-test-person': person } });
  answers.push(answer);
  return answer.status;
};
const count = (statuses: readonly number[], status: number): number => statuses.filter((one) => one === status).length;

test('one person has a few places, also when they are asked for all at once', async () => {
  const statuses = await Promise.all(Array.from({ length: TAILS_PER_ACTOR_MAX + 5 }, () => open('p-1')));
  expect(count(statuses, 200)).toBe(TAILS_PER_ACTOR_MAX);
  expect(count(statuses, 503)).toBe(5);
  expect(await open('p-2')).toBe(200);
});

test('there are so many places in all', async () => {
  const people = Array.from({ length: TAILS_MAX + 5 }, (_, index) => `p-${index}`);
  const statuses = await Promise.all(people.map(open));
  expect(count(statuses, 200)).toBe(TAILS_MAX);
  expect(count(statuses, 503)).toBe(5);
});

test('a place is free again when its reader went', async () => {
  await Promise.all(Array.from({ length: TAILS_PER_ACTOR_MAX }, () => open('p-1')));
  await answers.shift()?.body?.cancel();
  await vi.waitFor(async () => expect(await open('p-1')).toBe(200), 5_000);
});

test('whoever may not read events any more sees no more of them', async () => {
  await open('p-1');
  const before = asked;
  allowed = false;
  // Ends by itself: the reader did nothing.
  await answers[0]?.text();
  expect(asked).toBeGreaterThan(before);
});

test('an open tail does not hold up the end of the server', async () => {
  await open('p-1');
  await server.close();
  expect(await answers[0]?.text()).toBe('\n');
});

test('the server that was made by hand has its timeouts', () => {
  expect(server.server.requestTimeout).toBe(60_000);
  expect(server.server.headersTimeout).toBe(10_000);
});
