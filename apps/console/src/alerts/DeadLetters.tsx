import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { DeadLetter, Source } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { deadLettersQuery } from './alert-queries.ts';

const RAW_CHARS_SHOWN = 300;

export function DeadLetters({ source, onClose }: { readonly source: Source; readonly onClose: () => void }) {
  const can = useCan();
  const letters = useQuery(deadLettersQuery(source.id));
  const replay = useCommand<void, { readonly letters: number }>({
    run: async () => {
      const params = { path: { id: source.id } };
      return taken(await api.POST('/api/v1/sources/{id}/dead-letters/replay', { params }));
    },
    done: ({ letters: count }) => `${count} records are tried again.`,
    changes: [['sources'], ['audit']],
  });
  return (
    <Modal
      visible
      size="max"
      header={`Records of ${source.name} that no event could be made of`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={onClose}>Close</Button>
            {can('source.write') ? (
              <Button variant="primary" loading={replay.isPending} onClick={() => replay.mutate()}>
                Try again
              </Button>
            ) : null}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={letters.error ?? replay.error} />
        <Table<DeadLetter>
          variant="embedded"
          wrapLines
          loading={letters.isPending}
          loadingText="Loading records"
          items={letters.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Dead letters' }}
          columnDefinitions={[
            { id: 'at', header: 'Came', cell: (row) => <Ago at={row.receivedAt} /> },
            { id: 'reason', header: 'Why', isRowHeader: true, cell: (row) => row.reason },
            { id: 'attempts', header: 'Tries', cell: (row) => row.attempts },
            {
              id: 'raw',
              header: 'Record',
              cell: (row) => <Box variant="code">{row.raw.slice(0, RAW_CHARS_SHOWN)}</Box>,
            },
          ]}
          empty={<Box color="text-body-secondary">None is left.</Box>}
        />
      </SpaceBetween>
    </Modal>
  );
}
