import type { StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { SubjectRequest, SubjectTarget } from './data-queries.ts';

const DAY_MS = 86_400_000;
/** A request this close to its day is shown in another colour. */
const SOON_MS = 7 * DAY_MS;

type Look = readonly [StatusIndicatorProps.Type, string];

export const KIND_TEXT: Readonly<Record<SubjectRequest['kind'], string>> = {
  export: 'Hand over what is there',
  erase: 'Erase',
  anonymise: 'Make anonymous',
};

export const REQUEST_LOOKS: Readonly<Record<SubjectRequest['status'], Look>> = {
  open: ['pending', 'Open'],
  searching: ['in-progress', 'Reading the tools'],
  found: ['info', 'Found; nothing done yet'],
  waiting: ['warning', 'Waits for another person'],
  approved: ['in-progress', 'Approved'],
  acting: ['in-progress', 'Acting'],
  tasks: ['warning', 'People have tasks left'],
  done: ['success', 'Done'],
  refused: ['stopped', 'Refused'],
  failed: ['error', 'Failed'],
};

export const TARGET_LOOKS: Readonly<Record<SubjectTarget['status'], Look>> = {
  planned: ['pending', 'Planned'],
  task: ['warning', 'Task for a person'],
  held: ['stopped', 'Kept: legal hold'],
  spared: ['stopped', 'Spared'],
  gone: ['info', 'No longer there'],
  acted: ['in-progress', 'Done, not looked at again yet'],
  verified: ['success', 'Gone, read again'],
  unverified: ['warning', 'Done, could not be read again'],
  failed: ['error', 'Failed'],
  collected: ['success', 'Collected'],
  'task-done': ['success', 'Done, a person says'],
};

/** What will become of a record, or became of it. */
export function wayText({ way, action }: Pick<SubjectTarget, 'way' | 'action'>): string {
  if (way === null) return '—';
  return `${way === 'delete' ? 'delete' : 'make anonymous'} (${action ?? ''})`;
}

export function dueLook(request: Pick<SubjectRequest, 'dueAt' | 'endedAt'>, now: number): StatusIndicatorProps.Type {
  if (request.endedAt !== null) return request.endedAt > request.dueAt ? 'error' : 'success';
  if (now > request.dueAt) return 'error';
  return request.dueAt - now < SOON_MS ? 'warning' : 'pending';
}

/** `4 planned, 2 task`. */
export const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([state, count]) => `${count} ${TARGET_TEXT[state] ?? state}`)
    .join(', ') || '—';

const TARGET_TEXT: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(TARGET_LOOKS).map(([state, [, text]]) => [state, text.charAt(0).toLowerCase() + text.slice(1)]),
);
