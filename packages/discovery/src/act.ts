/** What can come of one act. `task`: only a person can do it. `nothing`: it was so already. */
export const ACT_STATES = ['waiting', 'done', 'nothing', 'task', 'failed'] as const;
export type ActState = (typeof ACT_STATES)[number];

/** One thing to be done: a grant to revoke, a host to refuse, a key to replace. */
export interface Act {
  /** Unique in the run and the same each time it is planned: an idempotency key follows from it. */
  readonly key: string;
  /** `grant`, `proxy`, `key`. */
  readonly kind: string;
  readonly name: string;
  /** In words: what is asked for. */
  readonly act: string;
  /** Whatever the port needs to carry it out; no secret. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Nothing can do it but a person: how, step by step. */
  readonly task?: string;
}

export interface ActOutcome {
  readonly state: Exclude<ActState, 'waiting'>;
  readonly detail: string;
}

export interface ActSubject {
  readonly type: 'app' | 'key' | 'client';
  readonly id: string;
  readonly name: string;
}

export interface ActRun {
  readonly id: string;
  readonly subject: ActSubject;
  readonly reason: string;
  readonly startedBy: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly acts: readonly ActRecord[];
}

export interface ActRecord {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly act: string;
  readonly state: ActState;
  readonly detail: string | null;
  readonly attempts: number;
  readonly at: number;
  readonly closedBy: string | null;
}

/** How acts reach the tools; given by the composition root. */
export interface ActPorts {
  /** Everything that there is to do about it. Asked again after a crash: it may find less. */
  plan(subject: ActSubject): Promise<readonly Act[]>;
  /**
   * Carries one out. May be called again with the same key: it must not do it twice.
   *
   * @throws when it can't be told whether it worked; it is tried again.
   */
  carryOut(subject: ActSubject, act: Act, idempotencyKey: string): Promise<ActOutcome>;
}
