/** What a named function is told besides its arguments. */
export interface FunctionContext {
  /** Milliseconds since the epoch at which the settings are judged. */
  now: number;
  /** Notes a setting that was needed and could not be seen: a check that would pass becomes `not_visible`. */
  unseen(path: string): void;
}

/** A pure function offered to CEL under a name of its own. */
export interface NamedFunction {
  /** CEL signature, such as `asList(dyn): list`. */
  signature: string;
  /** What it answers, for the reference in `docs/guide/posture.md`. */
  description: string;
  run: (context: FunctionContext, ...args: never[]) => unknown;
}
