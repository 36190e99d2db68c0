/**
 * Events of exercises count in no figure and in nobody's habits. They are known by the label that the worker gives
 * once a signature held; what a caller says of itself only narrows down where to look, for `raw` is dear to read.
 */
const LABELLED = "startsWith(JSONExtractString(raw, 'metadata', 'labels', 1), 'drill:')";
const AGENT = 'cordon-drill/';

/** The condition that leaves out an exercise's calls, among those that `where` is about. */
export function notExercised(where: string): string {
  // GLOBAL: on a cluster each node would ask all others otherwise.
  return (
    `event_id GLOBAL NOT IN (SELECT event_id FROM events WHERE ${where} ` +
    `AND startsWith(user_agent, '${AGENT}') AND ${LABELLED})`
  );
}

/** The same for a query that reads `raw` anyway, and for records of vendors too. */
export const NOT_EXERCISED = `NOT (position(raw, '"drill:') > 0 AND ${LABELLED})`;
