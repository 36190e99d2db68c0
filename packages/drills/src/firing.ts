import { setTimeout } from 'node:timers/promises';
import type { Clock, Database, Logger, SecretEnvelope } from '@cordon/kernel';
import type { Drill, DrillStatus } from './drill.ts';
import { listObjects, loadDrill, statusOf } from './drill-store.ts';
import type { DrillPorts, Victim } from './ports.ts';

export interface DrillEngine {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly envelope: SecretEnvelope;
  readonly ports: DrillPorts;
  /** Waits, milliseconds; a test passes its own. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** What a step of a running drill works with. */
export interface Firing extends Required<DrillEngine> {
  readonly drill: Drill;
  readonly key: Buffer;
  readonly isWanted: () => Promise<boolean>;
}

const GOES_ON: readonly DrillStatus[] = ['running'];

export function keyContext(drillId: string): string {
  return `drill:${drillId}:key`;
}
export const tokenContext = (drillId: string): string => `drill:${drillId}:token`;

export async function openFiring(engine: DrillEngine, drillId: string): Promise<Firing> {
  const drill = await loadDrill(engine.db, drillId);
  return {
    ...engine,
    pause: engine.pause ?? ((ms) => setTimeout(ms)),
    drill,
    key: engine.envelope.open(drill.sealedKey, keyContext(drillId)),
    isWanted: async () => GOES_ON.includes(await statusOf(engine.db, drillId)),
  };
}

/** What was stolen, as it was kept; null where the scenario steals nothing. */
export async function victimOf({ db, drill, envelope }: Firing): Promise<Victim | null> {
  const kept = (await listObjects(db, drill.id)).find(({ kind }) => kind === 'token');
  if (kept?.sealed == null) return null;
  return JSON.parse(envelope.open(kept.sealed, tokenContext(drill.id)).toString()) as Victim; // sealed by prepareVictim
}

/** The credentials of the drill's sources, by product. */
export async function sourceCredential({ db, drill, envelope }: Firing, product: string): Promise<string | null> {
  const kept = (await listObjects(db, drill.id)).find(({ kind, name }) => kind === 'source' && name === product);
  return kept?.sealed == null ? null : envelope.open(kept.sealed, tokenContext(drill.id)).toString();
}
