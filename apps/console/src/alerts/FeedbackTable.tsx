import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { BehaviourDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { featureName } from './behaviour-queries.ts';

type Feedback = BehaviourDetail['feedback'][number];

/** What people said about an entity, in force. */
export function FeedbackTable({ entity }: { readonly entity: BehaviourDetail }) {
  const can = useCan();
  const end = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/behaviour/feedback/{id}', { params: { path: { id } } })),
    done: 'The feedback ended.',
    changes: [['behaviour'], ['audit']],
  });
  return (
    <Table<Feedback>
      variant="container"
      contentDensity="compact"
      wrapLines
      items={entity.feedback}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Feedback' }}
      header={
        <Header variant="h2" description="It changes the baseline until it ends.">
          Feedback
        </Header>
      }
      columnDefinitions={[
        {
          id: 'what',
          header: 'About',
          isRowHeader: true,
          cell: (row) => `${featureName(row.feature)} ${row.value ?? ''}`,
        },
        { id: 'verdict', header: 'Verdict', cell: (row) => (row.verdict === 'expected' ? 'Expected' : 'Not expected') },
        { id: 'reason', header: 'Reason', cell: (row) => row.reason },
        { id: 'by', header: 'By', cell: (row) => row.createdBy },
        { id: 'at', header: 'When', cell: (row) => <Ago at={row.createdAt} /> },
        { id: 'ends', header: 'Ends', cell: (row) => new Date(row.expiresAt).toISOString().slice(0, 10) },
        {
          id: 'end',
          header: '',
          cell: (row) =>
            can('detection.write') ? (
              <Button variant="inline-link" loading={end.isPending} onClick={() => end.mutate(row.id)}>
                End
              </Button>
            ) : null,
        },
      ]}
      empty={<Box color="text-body-secondary">None.</Box>}
    />
  );
}
