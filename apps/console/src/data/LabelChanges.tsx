import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { changesQuery, type LabelChange } from './data-queries.ts';
import { LabelBadge } from './LabelBadge.tsx';

const LOOKS: Readonly<Record<LabelChange['status'], readonly [StatusIndicatorProps.Type, string]>> = {
  waiting: ['pending', 'Waits for another person'],
  applied: ['success', 'Applied'],
  refused: ['stopped', 'Refused'],
};

const nameOf = ({ app, object, path }: LabelChange): string =>
  `${app}: ${object}${path === null ? '' : `, field ${path}`}`;

/** What people said about labels; what lowers one waits here. */
export function LabelChanges() {
  const changes = useQuery(changesQuery);
  const mayDecide = useCan()('data.label_approve');
  const decide = useCommand({
    run: async ({ id, granted }: { readonly id: string; readonly granted: boolean }) =>
      taken(await api.POST('/api/v1/data/label-changes/{id}/decide', { params: { path: { id } }, body: { granted } })),
    done: ({ status }) => (status === 'applied' ? 'The label is lowered.' : 'The label stays.'),
    changes: [['data'], ['audit']],
  });
  const items = changes.data ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={changes.error ?? decide.error} />
      <Table<LabelChange>
        variant="container"
        wrapLines
        loading={changes.isPending}
        loadingText="Loading changes"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Label review' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="Who asks for a lower label does not grant it: another person confirms, with a strong factor."
          >
            Label review
          </Header>
        }
        columnDefinitions={[
          { id: 'what', header: 'What', isRowHeader: true, minWidth: 180, cell: nameOf },
          { id: 'from', header: 'From', cell: (row) => <LabelBadge label={row.from} /> },
          { id: 'to', header: 'To', cell: (row) => (row.to === null ? 'as judged' : <LabelBadge label={row.to} />) },
          { id: 'reason', header: 'Reason', minWidth: 180, cell: (row) => row.reason },
          { id: 'by', header: 'Asked by', cell: (row) => `${row.requestedBy}, ${showTime(row.requestedAt)}` },
          {
            id: 'status',
            header: 'State',
            minWidth: 160,
            cell: (row) => (
              <StatusIndicator type={LOOKS[row.status][0]}>
                {`${LOOKS[row.status][1]}${row.decidedBy === null ? '' : ` (${row.decidedBy})`}`}
              </StatusIndicator>
            ),
          },
          {
            id: 'decide',
            header: 'Decide',
            minWidth: 160,
            cell: (row) =>
              mayDecide && row.status === 'waiting' ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    variant="inline-link"
                    ariaLabel={`Grant: ${nameOf(row)}`}
                    onClick={() => decide.mutate({ id: row.id, granted: true })}
                  >
                    Grant
                  </Button>
                  <Button
                    variant="inline-link"
                    ariaLabel={`Refuse: ${nameOf(row)}`}
                    onClick={() => decide.mutate({ id: row.id, granted: false })}
                  >
                    Refuse
                  </Button>
                </SpaceBetween>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nobody has pinned a label.</Box>}
      />
    </SpaceBetween>
  );
}
