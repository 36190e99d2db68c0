import type { Variables } from '../cacao/variables.ts';

export type RunMode = 'live' | 'simulate';
export const RUN_STATUSES = [
  'proposed',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'undoing',
  'undone',
  'undo-failed',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export type ActKind = 'control' | 'act' | 'manual' | 'undo';
/**
 * `waiting-approval`, `waiting-person`: somebody has to say something. `started`: on its way, or cut short by a crash;
 * `doubtful`: cut short, and nothing tells whether it happened. The rest is over.
 */
export const ACT_STATUSES = [
  'delayed',
  'waiting-approval',
  'waiting-person',
  'doubtful',
  'started',
  'done',
  'failed',
  'refused',
  'simulated',
] as const;
export type ActStatus = (typeof ACT_STATUSES)[number];

export interface Party {
  readonly kind: string;
  readonly id: string | null;
  readonly name: string;
}
/** Who said yes or no, when, and on what. */
export interface Decision {
  readonly by: Party;
  readonly at: number;
  readonly approved: boolean;
  readonly reason: string;
}

export interface Act {
  readonly key: string;
  readonly stepId: string;
  readonly kind: ActKind;
  readonly title: string;
  readonly command: string;
  readonly effect: string;
  readonly status: ActStatus;
  readonly input: Readonly<Record<string, unknown>>;
  readonly prepared: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly proof: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  readonly approval: Decision | null;
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Until when it waits: a delay's end or a timeout. */
  readonly dueAt: number | null;
  /** What would take it back; null: nothing can. */
  readonly undoTitle: string | null;
}

export interface Run {
  readonly id: string;
  readonly playbookId: string;
  readonly playbookName: string;
  readonly document: string;
  readonly digest: string;
  readonly mode: RunMode;
  readonly status: RunStatus;
  readonly caseId: string | null;
  readonly alertId: string | null;
  readonly startedBy: Party;
  /** Approval of the whole run: every act in it that needs one has it. */
  readonly approval: Decision | null;
  readonly inputs: Readonly<Record<string, string>>;
  readonly variables: Variables;
  readonly error: string | null;
  readonly wakeAt: number | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** Where the interpreter writes down what it does before and after it does it. */
export interface Journal {
  find(key: string): Act | null;
  /** Durable when it resolves. */
  write(act: Act): Promise<void>;
  all(): readonly Act[];
}

export const isOver = ({ status }: Pick<Act, 'status'>): boolean =>
  status === 'done' || status === 'failed' || status === 'refused' || status === 'simulated';
export const isSuccess = ({ status }: Pick<Act, 'status'>): boolean => status === 'done' || status === 'simulated';

/** For runs that are not kept: checks and dry runs on the command line. */
export function createMemoryJournal(): Journal {
  const acts = new Map<string, Act>();
  return {
    find: (key) => acts.get(key) ?? null,
    write: (act) => Promise.resolve(void acts.set(act.key, act)),
    all: () => [...acts.values()],
  };
}
