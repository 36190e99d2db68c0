/** What can come of one target. */
export const TARGET_STATES = ['waiting', 'done', 'nothing', 'task', 'failed'] as const;
export type TargetState = (typeof TARGET_STATES)[number];

/** One thing that a leaver had, and what is to happen to it. */
export interface Target {
  /** Unique in the run and the same each time the run is planned: an idempotency key follows from it. */
  readonly key: string;
  /** `integration`, `app`, `account`, `credential`, `grant`. */
  readonly kind: string;
  readonly name: string;
  /** In words: what is asked for. */
  readonly act: string;
  /** Whatever the port needs to carry it out; no secret. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Nothing can do it but a person: why. */
  readonly task?: string;
}

export interface Outcome {
  readonly state: Exclude<TargetState, 'waiting'>;
  readonly detail: string;
}

export interface Leaver {
  readonly id: string;
  readonly name: string;
}

/** How a leaver's workflow reaches the rest; given by the composition root. */
export interface LeaverPorts {
  /** Everything that the person still has, whoever holds it. Asked again after a crash: it may find less. */
  find(leaver: Leaver): Promise<readonly Target[]>;
  /**
   * Carries one out. May be called again with the same key: it must not do it twice.
   *
   * @throws when it can't be told whether it worked; it is tried again.
   */
  carryOut(leaver: Leaver, target: Target, idempotencyKey: string): Promise<Outcome>;
}

/** What became of somebody: they came, what follows from their groups changed, or they left. */
export const RUN_KINDS = ['leaver', 'joiner', 'mover'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

export interface LeaverRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly person: Leaver;
  readonly reason: string;
  readonly startedBy: string;
  readonly startedAt: number;
  readonly dispatchedAt: number | null;
  readonly endedAt: number | null;
  readonly counts: Readonly<Record<TargetState, number>>;
}

export interface TargetRecord {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly act: string;
  readonly state: TargetState;
  readonly detail: string | null;
  readonly attempts: number;
  readonly at: number;
  readonly closedBy: string | null;
}
