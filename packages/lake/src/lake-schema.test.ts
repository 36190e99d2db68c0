import { expect, test } from 'vitest';
import { createBehaviour } from './behaviour-schema.ts';
import { createEvents, ddlNames } from './lake-schema.ts';

test('one node: the table is the storage, and remembers tokens of retries', () => {
  const [create, ...rest] = createEvents(ddlNames('cordon', { kind: 'single' }));
  expect(rest).toEqual([]);
  expect(create).toMatch(/^CREATE TABLE IF NOT EXISTS cordon\.events \(/);
  expect(create).toContain('ENGINE = MergeTree PARTITION BY');
  expect(create).toContain('fsync_after_insert = 1, fsync_part_directory = 1');
  expect(create).toContain('non_replicated_deduplication_window = ');
});

test('a cluster: replicated storage, and a table over it that keeps an event on one shard', () => {
  const [create, spanning] = createEvents(ddlNames('cordon', { kind: 'cluster', cluster: 'main' }));
  expect(create).toMatch(/^CREATE TABLE IF NOT EXISTS cordon\.events_local ON CLUSTER main \(/);
  expect(create).toContain("ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/cordon/events', '{replica}')");
  expect(spanning).toBe(
    'CREATE TABLE IF NOT EXISTS cordon.events ON CLUSTER main AS cordon.events_local ' +
      'ENGINE = Distributed(main, cordon, events_local, cityHash64(event_id))',
  );
});

test.each([
  ['database', () => ddlNames('a; DROP', { kind: 'single' })],
  ['cluster', () => ddlNames('a', { kind: 'cluster', cluster: "x'" })],
  ['path', () => ddlNames('a', { kind: 'cluster', cluster: 'x', keeperPath: "/a', 'b" })],
])('refuses a %s name that would become SQL', (_what, names) => {
  expect(names).toThrow(TypeError);
});

test('summaries lie like events do: replaced on one node, replicated and placed by entity on a cluster', () => {
  const single = createBehaviour(ddlNames('cordon', { kind: 'single' })).join('\n');
  expect(single).toContain('ENGINE = ReplacingMergeTree(computed_at)');
  expect(single).not.toMatch(/ON CLUSTER|_local/);
  const cluster = createBehaviour(ddlNames('cordon', { kind: 'cluster', cluster: 'main' })).join('\n');
  expect(cluster).toContain(
    "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/cordon/behaviour_hours', '{replica}', computed_at)",
  );
  expect(cluster).toContain('Distributed(main, cordon, behaviour_seen_local, cityHash64(entity_type, entity))');
  expect(cluster).toContain('behaviour_seen_view_local ON CLUSTER main TO cordon.behaviour_seen_local');
});
