import Badge from '@cloudscape-design/components/badge';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { ActionRun, Evidence, Sync } from './connector-queries.ts';

const EVIDENCE = {
  emulated: { color: 'green', text: 'Emulated' },
  recorded: { color: 'green', text: 'Recorded' },
  described: { color: 'grey', text: 'Described' },
} as const;

/** What a stream or an action was proved against. */
export function EvidenceBadge({ evidence }: { readonly evidence: Evidence }) {
  const { color, text } = EVIDENCE[evidence];
  return <Badge color={color}>{text}</Badge>;
}

type Shown = readonly [StatusIndicatorProps.Type, string];

const STREAM: Readonly<Record<string, Shown>> = {
  never: ['pending', 'Never read'],
  waiting: ['pending', 'Waiting'],
  running: ['in-progress', 'Reading'],
  ok: ['success', 'Read'],
  partial: ['warning', 'Read in part'],
  not_visible: ['info', 'Not visible'],
  failed: ['error', 'Failed'],
};

const SYNC: Readonly<Record<Sync['status'], Shown>> = {
  queued: ['pending', 'Waiting'],
  running: ['in-progress', 'Reading'],
  done: ['success', 'Done'],
  partial: ['warning', 'Done in part'],
  failed: ['error', 'Failed'],
  cancelled: ['stopped', 'Cancelled'],
};

export function StreamStatus({ status }: { readonly status: string }) {
  const [type, text] = STREAM[status] ?? ['pending', status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

export function SyncStatus({ sync }: { readonly sync: Sync | null }) {
  const [type, text] = sync ? SYNC[sync.status] : (['pending', 'Never'] as const);
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

const OUTCOMES = {
  done: ['success', 'Done'],
  already: ['success', 'Was so already'],
  unverified: ['warning', 'Accepted, not seen'],
  would_run: ['info', 'Dry run: would change'],
  would_do_nothing: ['info', 'Dry run: nothing to do'],
  not_done: ['info', 'Not in effect'],
  undone: ['success', 'Taken back'],
  unclear: ['error', 'Unclear: look yourself'],
} as const;

export function RunState({ run }: { readonly run: ActionRun }) {
  if (run.status === 'failed') return <StatusIndicator type="error">{run.error ?? 'Failed'}</StatusIndicator>;
  if (run.outcome === null) return <StatusIndicator type="in-progress">Under way</StatusIndicator>;
  const [type, text] = OUTCOMES[run.outcome];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

const WRAPPED = { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', margin: 0 } as const;

/** What a tool said, member by member; long lines wrap on a small screen. */
export function JsonText({ value }: { readonly value: unknown }) {
  return <pre style={WRAPPED}>{JSON.stringify(value, null, 2)}</pre>;
}
