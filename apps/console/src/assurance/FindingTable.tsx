import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { ReactNode } from 'react';
import { RouteLink } from '../shell/RouteLink.tsx';
import type { Finding } from './assurance-queries.ts';

const SEVERITIES = {
  critical: 'severity-critical',
  high: 'severity-high',
  medium: 'severity-medium',
  low: 'severity-low',
  info: 'severity-neutral',
} as const;
const STATES = {
  open: ['pending', 'Open'],
  fixed: ['in-progress', 'Said to be fixed'],
  retest: ['in-progress', 'To be tested again'],
  closed: ['success', 'Closed'],
  accepted: ['stopped', 'Accepted'],
} as const;

export function SeverityBadge({ severity }: Pick<Finding, 'severity'>) {
  return <Badge color={SEVERITIES[severity]}>{severity}</Badge>;
}

export function FindingState({ state, isOverdue }: Pick<Finding, 'state' | 'isOverdue'>) {
  const [type, text] = STATES[state];
  return isOverdue ? (
    <StatusIndicator type="error">{`${text}, overdue`}</StatusIndicator>
  ) : (
    <StatusIndicator type={type}>{text}</StatusIndicator>
  );
}

export function FindingTable({
  findings,
  isLoading,
  actions,
}: {
  readonly findings: readonly Finding[];
  readonly isLoading: boolean;
  readonly actions: ReactNode;
}) {
  return (
    <Table<Finding>
      variant="container"
      wrapLines
      loading={isLoading}
      loadingText="Loading findings"
      items={findings}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Findings' }}
      header={
        <Header variant="h2" counter={`(${findings.length})`} actions={actions}>
          Findings
        </Header>
      }
      columnDefinitions={[
        {
          id: 'title',
          header: 'Finding',
          isRowHeader: true,
          cell: (row) => (
            <RouteLink href={`/findings/${row.id}`}>
              {row.reference === '' ? row.title : `${row.reference} ${row.title}`}
            </RouteLink>
          ),
        },
        { id: 'severity', header: 'Severity', cell: (row) => <SeverityBadge severity={row.severity} /> },
        { id: 'cvss', header: 'CVSS', cell: (row) => row.cvssScore ?? '-' },
        {
          id: 'state',
          header: 'State',
          minWidth: 140,
          cell: (row) => <FindingState state={row.state} isOverdue={row.isOverdue} />,
        },
        { id: 'due', header: 'Due', cell: (row) => row.dueOn ?? '-' },
        { id: 'side', header: 'Whose work', cell: (row) => (row.side === 'vendor' ? 'vendor' : 'ours') },
      ]}
      empty={<Box color="text-body-secondary">No finding.</Box>}
    />
  );
}
