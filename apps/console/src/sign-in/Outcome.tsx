import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { SignInRecord } from '../api/wire.ts';

const SHOWN = {
  allow: { type: 'success', text: 'let in' },
  stronger: { type: 'warning', text: 'asked for more' },
  refuse: { type: 'error', text: 'refused' },
} as const;

/** What was decided of a sign-in. */
export function Outcome({ outcome }: { readonly outcome: SignInRecord['outcome'] }) {
  const { type, text } = SHOWN[outcome];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

/** Which statements decided, by name. */
export function reasonsText(reasons: SignInRecord['reasons']): string {
  return (
    reasons.map(({ policy, statement }) => (statement === null ? policy : statement)).join(', ') || 'nothing permits it'
  );
}
