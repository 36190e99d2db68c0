import type { Level } from '../sigma/ast.ts';

/** The id under which behaviour's alerts and findings stand where others have a rule's. */
export const BEHAVIOUR_RULE = 'cordon.behaviour';

/**
 * From which running score an alert is raised, and how grave it is. Chosen on the evaluation of docs/ueba.md: a change
 * here needs its numbers again.
 */
const BEHAVIOUR_ALERT_MIN = 2.75;
/** What the judged day itself must bring: a score that only fades raises nothing again. */
const BEHAVIOUR_DAY_MIN = 1.75;
const HIGH_MIN = 5;
const CRITICAL_MIN = 10;

/** The level of the alert for a score, or null where none is due. */
export function behaviourLevel(running: number, ofDay: number): Level | null {
  if (running < BEHAVIOUR_ALERT_MIN || ofDay < BEHAVIOUR_DAY_MIN) return null;
  if (running >= CRITICAL_MIN) return 'critical';
  return running >= HIGH_MIN ? 'high' : 'medium';
}
