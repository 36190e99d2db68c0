/** Article 12(3) GDPR: one month from receipt, and two further ones where the request is complex. */
const MONTHS = 1;
const MONTHS_EXTENDED = 3;

/** The same day of the month, or the last where the month is shorter (Regulation 1182/71, Article 3); end of that day in UTC. */
export function dueAfter(receivedAt: Date, isExtended: boolean): Date {
  const day = Temporal.Instant.fromEpochMilliseconds(receivedAt.getTime()).toZonedDateTimeISO('UTC').toPlainDate();
  const due = day.add({ months: isExtended ? MONTHS_EXTENDED : MONTHS });
  return new Date(Date.UTC(due.year, due.month - 1, due.day, 23, 59, 59));
}
