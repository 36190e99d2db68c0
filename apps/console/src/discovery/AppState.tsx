import Badge from '@cloudscape-design/components/badge';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { FoundApp } from './discovery-queries.ts';

const LOOKS: Readonly<Record<FoundApp['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  new: ['warning', 'New'],
  under_review: ['pending', 'Under review'],
  sanctioned: ['success', 'Sanctioned'],
  tolerated: ['info', 'Tolerated'],
  forbidden: ['stopped', 'Forbidden'],
};

export function AppState({ state }: { readonly state: FoundApp['state'] }) {
  const [type, text] = LOOKS[state];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

const HIGH = 60;
const MEDIUM = 30;

export function RiskBadge({ score }: { readonly score: number }) {
  return (
    <Badge color={score >= HIGH ? 'severity-high' : score >= MEDIUM ? 'severity-medium' : 'severity-low'}>
      {score}
    </Badge>
  );
}
