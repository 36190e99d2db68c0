/** How long a run waits for a database that didn't answer. */
export const AWAY_MS = 5_000;

/**
 * SQLSTATE classes that pass (PostgreSQL manual, appendix A): connection, rolled back for another's sake, resources,
 * lock not available, and the operator's: a statement cancelled at its time limit, a server going down or starting.
 */
const PASSING = /^(?:08...|40...|53...|55P03|57...|58...)$/;
const SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);
/** What node-postgres says without a code when a connection breaks under a statement, or none is free in time. */
const BROKEN = /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection)/;

/** Whether the database failed for a reason that isn't in the statement, so that the same one may pass later. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (PASSING.test(code) || SOCKET.has(code) || BROKEN.test(error.message)) return true;
  return isDatabaseAway(error.cause);
}
