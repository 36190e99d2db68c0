import { escalate, testDueContacts, warnOfDuties } from '@cordon/incidents';
import type { Logger } from '@cordon/kernel';
import type { CommunicationParts } from '../roles/communication-parts.ts';
import { type Repeating, repeat } from './repeating.ts';

const WARN_MS = 15_000;
const ESCALATE_MS = 1_000;
const TEST_MS = 3_600_000;

/** Warns of duties, takes unanswered messages to their next step, and tests contacts when it is time. */
export function startCommunicationDuties({ communication }: CommunicationParts, logger: Logger): readonly Repeating[] {
  const { duties, contacts, contactCommands } = communication;
  return [
    repeat('duty warnings', WARN_MS, logger, () => warnOfDuties(duties)),
    repeat('contact escalation', ESCALATE_MS, logger, () => escalate(contacts)),
    repeat('contact tests', TEST_MS, logger, () => testDueContacts(contacts, contactCommands)),
  ];
}
