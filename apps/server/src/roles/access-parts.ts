import { type AccessPorts, createAccessCommands, type Estate, type SnapshotService } from '@cordon/estate';
import { createLimitReplay } from '@cordon/gateway';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { type OperationFacts, parseUnknownOperation, readBuiltIn } from '@cordon/policy';

/** What least privilege asks of the lake and of the snapshot that gateways decide from. */
export function createAccessParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly lake: Lake;
  readonly estate: Estate;
  readonly snapshots: SnapshotService;
  readonly operationsOf: (appId: string) => Promise<readonly OperationFacts[]>;
}) {
  const { db, clock, lake, estate, snapshots } = deps;
  const ports: AccessPorts = {
    usage: (scope) => lake.usage.usage(scope),
    callGroups: (scope, detail) => lake.usage.callGroups(scope, detail),
    timedCalls: async (scope) =>
      (await lake.usage.timedCalls(scope)).map(({ operation, ...call }) => ({ ...call, operationId: operation })),
    limitDecider: (limits) => createLimitReplay(limits),
    oldestAt: async () => (await lake.stats()).oldestAt ?? null,
    async operations(appIds) {
      const tables = new Map<string, ReadonlyMap<string, OperationFacts>>();
      for (const appId of appIds) {
        // An app that is gone has no operations; its calls stay in the lake.
        const list = await deps.operationsOf(appId).catch(() => []);
        tables.set(appId, new Map(list.map((operation) => [operation.id, operation])));
      }
      return {
        list: (appId) => [...(tables.get(appId)?.values() ?? [])],
        find: (appId, id) => parseUnknownOperation(id) ?? tables.get(appId)?.get(id),
      };
    },
    async entries() {
      await snapshots.refresh();
      return snapshots.current().entries;
    },
    builtIn: readBuiltIn(),
  };
  return { access: createAccessCommands({ db, clock, ports, grants: estate.grants }) };
}
