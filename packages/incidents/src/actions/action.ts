import type { z } from 'zod';
import type { ActPorts, ReadPorts } from './ports.ts';

/** JSON that an act left behind; out_args take it by name: `__sessions__` takes `sessions`. */
export type ActResult = Readonly<Record<string, unknown>>;

/** Whether an act is known to be done. `unknown`: nothing tells, so a person has to look before it is repeated. */
export type Verdict =
  | { readonly state: 'done'; readonly result: ActResult; readonly proof: ActResult }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown' };

export interface ActContext {
  readonly reads: ReadPorts;
  readonly acts: ActPorts;
  /** The same each time this very act is tried. */
  readonly key: string;
  /** Of a compensation: the key under which the act was done that it takes back. */
  readonly undoes?: string;
  readonly runId: string;
  readonly caseId: string | null;
  /** Names run and playbook; put into every reason, so that what was done can be told from what others did. */
  readonly mark: string;
  readonly signal: AbortSignal;
  /** What `prepare` found, kept since before the first try. */
  readonly prepared: ActResult;
}

/** What a dry run has: no way to act at all. */
export interface DryContext {
  readonly reads: ReadPorts;
  readonly runId: string;
  readonly caseId: string | null;
}

/** One act that Cordon can do for a playbook: how it is asked for, done, checked, tried dry and taken back. */
export interface Action<Input> {
  /** `gateway.cut-off`: what the command says. */
  readonly name: string;
  readonly title: string;
  readonly effect: 'read' | 'change' | 'message';
  /** What a playbook that says nothing gets. */
  readonly approval: 'none' | 'required';
  readonly input: z.ZodType<Input>;
  readonly outputs: readonly string[];
  /** Doing it twice with the same key is the same as once, so an unknown outcome may be tried again. */
  readonly repeatable: boolean;
  /** What must be known of the state before, to verify or undo; written down before the first try. */
  prepare?(input: Input, context: DryContext): Promise<ActResult>;
  run(input: Input, context: ActContext): Promise<ActResult>;
  verify(input: Input, context: ActContext): Promise<Verdict>;
  /** Says what it would do, from what can be read. */
  simulate(input: Input, context: DryContext): Promise<{ would: string; result: ActResult }>;
  readonly compensation?: {
    readonly title: string;
    /** Converges: may be called again. Gets what `run` returned. */
    run(input: Input, result: ActResult, context: ActContext): Promise<ActResult>;
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- a table holds actions of different inputs
export type AnyAction = Action<any>;
export type ActionTable = ReadonlyMap<string, AnyAction>;

/** Keeps the input's type between its schema and its functions. */
export function defineAction<Input>(action: Action<Input>): Action<Input> {
  return action;
}
