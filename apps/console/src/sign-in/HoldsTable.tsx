import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** People who may not sign in because of what somebody told. */
export function HoldsTable() {
  const can = useCan();
  const holds = useQuery({
    queryKey: ['signal-holds'],
    queryFn: async () => taken(await api.GET('/api/v1/signals/holds')).items,
    enabled: can('person.read'),
  });
  const people = useQuery({
    queryKey: ['people', 'names'],
    queryFn: async () => taken(await api.GET('/api/v1/people', { params: { query: { limit: 100 } } })).people,
    enabled: can('person.read'),
  });
  const lift = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/signals/holds/{id}', { params: { path: { id } } })),
    done: 'The person may sign in again.',
    changes: [['signal-holds'], ['audit']],
  });
  if (!can('person.read')) return null;
  const nameOf = (id: string): string => people.data?.find((person) => person.id === id)?.name ?? id;
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={holds.error ?? lift.error} />
      <Table
        variant="container"
        wrapLines
        items={holds.data ?? []}
        loading={holds.isPending}
        loadingText="Loading"
        trackBy="personId"
        ariaLabels={{ tableLabel: 'People who are held' }}
        header={<Header variant="h2">People who are held</Header>}
        columnDefinitions={[
          { id: 'person', header: 'Person', isRowHeader: true, cell: (one) => nameOf(one.personId) },
          {
            id: 'hold',
            header: 'Held',
            cell: (one) => (one.hold === 'factor-reset' ? 'until their factors are replaced' : 'suspended'),
          },
          { id: 'reason', header: 'Because', cell: (one) => one.reason ?? '-' },
          { id: 'at', header: 'Since', cell: (one) => <Ago at={one.at} /> },
          {
            id: 'action',
            header: 'Action',
            cell: (one) =>
              can('person.suspend') ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Let ${nameOf(one.personId)} sign in again`}
                  onClick={() => lift.mutate(one.personId)}
                >
                  Let in again
                </Button>
              ) : (
                '-'
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">Nobody.</Box>}
      />
    </SpaceBetween>
  );
}
