import type { DrillObject, DrillTarget } from './drill.ts';
import type { Facts } from './facts.ts';

/** An integration of the drill, with what its thief stole. */
export interface Victim {
  readonly integrationId: string;
  readonly appName: string;
  readonly token: string;
  /** At an app of the estate: paths of reads that the integration was not granted. */
  readonly probes?: readonly string[];
}
export interface CallOutcome {
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly ms: number;
}

/**
 * All that a live fire does outside its own tables. Made by the composition root on the real gateway, sources,
 * playbooks and audit trail. What makes something is safe to call again: it finds what it made by name.
 */
export interface DrillPorts {
  /** The drill's own app before its emulator, or the marked one; an integration with a grant on it, and a token of that. */
  makeVictim(
    drill: { readonly id: string; readonly name: string; readonly target: DrillTarget | null },
    operations: readonly string[],
    keep: (object: Omit<DrillObject, 'removedAt' | 'madeAt'>) => Promise<void>,
  ): Promise<Victim>;
  /** A source of its own; the credential works from now on. */
  makeSource(name: string, product: string): Promise<{ readonly id: string; readonly credential: string }>;
  /** Through the real way in; false: not taken, try again. */
  deliver(
    credential: string,
    records: readonly Readonly<Record<string, unknown>>[],
  ): Promise<{ accepted: number; deadLetters: number }>;
  /** Addresses at which a gateway answers: of each process where they can be told apart. */
  gateways(): Promise<readonly string[]>;
  call(request: {
    readonly gateway: string;
    readonly appName: string;
    readonly method: string;
    readonly path: string;
    readonly token: string;
    readonly userAgent: string;
  }): Promise<CallOutcome>;
  /** `counted`: with the lake's figures, which cost more than all the rest. */
  observe(
    drill: { readonly id: string; readonly startedAt: number; readonly counted: boolean },
    objects: readonly DrillObject[],
  ): Promise<Facts>;
  /** Says yes to a proposed run in the name of the drill. */
  approve(runId: string, reason: string): Promise<void>;
  /** Takes away one thing that the drill made; what is gone already is fine. */
  remove(object: DrillObject, reason: string): Promise<void>;
  /** Ends what the drill set in motion: runs cancelled, cases and alerts closed as an exercise. */
  settle(
    drill: { readonly id: string },
    reason: string,
  ): Promise<{ readonly alerts: number; readonly cases: number; readonly runs: number }>;
}
