import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createLogger, systemClock } from '@cordon/kernel';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LimitCheck, LimitPlace } from './limit-counters.ts';
import { Metrics } from './metrics.ts';
import { LOCAL_DECISIONS } from './shared-counters.ts';
import { TestValkeyServer, VALKEY_SERVER } from './test-valkey-server.ts';
import { ValkeyCounters } from './valkey-counters.ts';

const DAY_MS = 86_400_000;
const check = (key: string, part: Partial<LimitCheck>): LimitCheck[] => [
  { key, rate: null, concurrency: null, callsPerDay: null, bytesPerDay: null, ...part },
];
const tenADay = (key: string): LimitCheck[] => check(key, { rate: { count: 10, periodMs: DAY_MS, burst: 10 } });
const allowed = (place: LimitPlace): boolean => place.admission.refused === undefined;

const server = new TestValkeyServer();
const members: ValkeyCounters[] = [];

async function join(metrics = new Metrics()): Promise<ValkeyCounters> {
  const logger = createLogger({ role: 'test', level: 'silent' });
  const counters = new ValkeyCounters({ url: server.url, clock: systemClock, logger, metrics });
  members.push(counters);
  await counters.start();
  return counters;
}

async function take(from: readonly ValkeyCounters[], times: number, checks: readonly LimitCheck[]): Promise<number> {
  const places = await Promise.all(
    Array.from({ length: times }, async (_, index) => from[index % from.length]!.admit(checks)),
  );
  return places.filter(allowed).length;
}

describe.skipIf(!fs.existsSync(VALKEY_SERVER))(
  `counters in a server (skipped: ${VALKEY_SERVER} absent, when skipped)`,
  () => {
    beforeAll(async () => {
      await server.start();
    });

    afterAll(async () => {
      for (const counters of members) await counters.stop();
      await server.remove();
    });

    test('gateways of a fleet serve together what one would', async () => {
      const fleet = [await join(), await join(), await join()];
      expect(await take(fleet, 60, tenADay('a'))).toBe(10);
      const { admission } = await fleet[1]!.admit(tenADay('a'));
      expect(admission.refused).toEqual({ index: 0, kind: 'rate' });
      expect(admission.verdicts[0]?.retryAfterMs).toBeGreaterThan(DAY_MS / 10 - 60_000);
    });

    test('what was allowed is told as a local counter tells it', async () => {
      const counters = await join();
      const checks = check('told', { rate: { count: 10, periodMs: 1_000, burst: 3 } });
      const { admission } = await counters.admit(checks);
      expect(admission).toEqual({
        refused: undefined,
        verdicts: [{ allowed: true, remaining: 2, retryAfterMs: 0, resetMs: 100 }],
      });
    });

    test('a call takes from all limits or from none', async () => {
      const counters = await join();
      const both = [...check('wide', { callsPerDay: 10 }), ...tenADay('b'), ...check('narrow', { callsPerDay: 2 })];
      expect(await take([counters], 5, both)).toBe(2);
      expect((await counters.admit(both)).admission.refused).toEqual({ index: 2, kind: 'quota' });
      expect(await take([counters], 20, check('wide', { callsPerDay: 10 }))).toBe(8);
    });

    test('what a gateway learns of a vendor’s limit is there for the next one that learns something', async () => {
      const [first, second] = [await join(), await join()];
      const heard: string[][] = [];
      second.onNote(({ seen }) => heard.push([...seen]));
      const note = { key: 'vendor', limit: 100, remaining: 5, resetAt: Date.now() + 60_000 };
      first.tell({ ...note, seen: ['int-1'] });
      await vi.waitFor(() => {
        second.tell({ ...note, seen: ['int-2'] });
        expect(heard).toContainEqual(['int-1']);
      });
    });

    test('places and bytes', async () => {
      const fleet = [await join(), await join()];
      const two = check('c', { concurrency: 2 });
      const places = [await fleet[0]!.admit(two), await fleet[1]!.admit(two)];
      expect(await take(fleet, 4, two)).toBe(0);
      places[0]!.leave();
      await vi.waitFor(async () => expect(await take(fleet, 1, two)).toBe(1));
      const bytes = check('d', { bytesPerDay: 100 });
      expect(await take(fleet, 1, bytes)).toBe(1);
      fleet[0]!.addBytes('d', 100);
      await vi.waitFor(async () => expect(await take([fleet[1]!], 1, bytes)).toBe(0));
    });

    test('a proof that one machine took is a replay at every other one, and at a third that comes later', async () => {
      const fleet = [await join(), await join()];
      const uses = await Promise.all(fleet.map((counters) => counters.useProof('proof-1', 'int-1')));
      expect(uses.toSorted()).toEqual(['first', 'used']);
      expect(await fleet[0]!.useProof('proof-2', 'int-1')).toBe('first');
      expect(await (await join()).useProof('proof-2', 'int-1')).toBe('used');
    });

    test('without the server each process knows its own proofs, says that it is alone, and shares them again after', async () => {
      const fleet = [await join(), await join()];
      await server.stop();
      expect([await fleet[0]!.useProof('proof-3', 'int-1'), await fleet[0]!.useProof('proof-3', 'int-1')]).toEqual([
        'alone',
        'used',
      ]);
      expect(await fleet[1]!.useProof('proof-3', 'int-1')).toBe('alone');
      await server.start();
      await vi.waitFor(async () => expect(await fleet[0]!.useProof(randomUUID(), 'int-1')).toBe('first'), {
        timeout: 10_000,
      });
      await vi.waitFor(async () => expect(await fleet[1]!.useProof(randomUUID(), 'int-1')).toBe('first'), {
        timeout: 10_000,
      });
      expect(await fleet[0]!.useProof('proof-4', 'int-1')).toBe('first');
      expect(await fleet[1]!.useProof('proof-4', 'int-1')).toBe('used');
    });

    test('a server that is away is done without, counted, and asked again when it is back', async () => {
      const metrics = new Metrics();
      const counters = await join(metrics);
      expect(await take([counters], 4, tenADay('e'))).toBe(4);
      await server.stop();
      // It goes on from what the server said last.
      expect(await take([counters], 20, tenADay('e'))).toBe(6);
      expect(await take([counters], 20, tenADay('new'))).toBe(10);
      expect(metrics.value(LOCAL_DECISIONS)).toBe(40);
      await server.start();
      await vi.waitFor(() => expect(metrics.render()).toContain('cordon_gateway_counter_server 1'), {
        timeout: 10_000,
      });
      expect(await take([counters], 20, tenADay('f'))).toBe(10);
      expect(metrics.value(LOCAL_DECISIONS)).toBe(40);
    });

    test('a server that stands still holds no call up for long', async () => {
      const metrics = new Metrics();
      const counters = await join(metrics);
      server.signal('SIGSTOP');
      expect(await take([counters], 20, tenADay('g'))).toBe(10);
      expect(metrics.value(LOCAL_DECISIONS)).toBe(20);
      server.signal('SIGCONT');
      await vi.waitFor(() => expect(metrics.render()).toContain('cordon_gateway_counter_server 1'), {
        timeout: 10_000,
      });
      expect(await take([counters], 20, tenADay('h'))).toBe(10);
    });
  },
);
