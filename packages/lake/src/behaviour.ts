import { activeEntities, behaviourFacts, behaviourNorms, behaviourWork, changedDays } from './behaviour-read.ts';
import { type BehaviourWindow, changedHours, sumHours } from './behaviour-sum.ts';
import type { LakeConnection } from './lake-connection.ts';

type Bound<Work> = Work extends (connection: LakeConnection, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** Summaries of who did what when, and what is read of them to tell the usual from the unusual. */
export interface BehaviourLake {
  /** Hours into which events fell that came in within a window of the lake's clock. */
  changedHours: Bound<typeof changedHours>;
  sumHours: Bound<typeof sumHours>;
  changedDays: Bound<typeof changedDays>;
  activeEntities: Bound<typeof activeEntities>;
  facts: Bound<typeof behaviourFacts>;
  norms: Bound<typeof behaviourNorms>;
  work: Bound<typeof behaviourWork>;
  /** The lake's own clock, milliseconds since the epoch: `ingested_at` is by it. */
  now(): Promise<number>;
}

export function createBehaviourLake(connection: LakeConnection): BehaviourLake {
  return {
    changedHours: (window: BehaviourWindow, afterHour) => changedHours(connection, window, afterHour),
    sumHours: (from, to, now) => sumHours(connection, from, to, now),
    changedDays: (since, from) => changedDays(connection, since, from),
    activeEntities: (request) => activeEntities(connection, request),
    facts: (request) => behaviourFacts(connection, request),
    norms: (request) => behaviourNorms(connection, request),
    work: (request) => behaviourWork(connection, request),
    async now() {
      const [row] = await connection.rows<{ now: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now', {});
      return row?.now ?? 0;
    },
  };
}
