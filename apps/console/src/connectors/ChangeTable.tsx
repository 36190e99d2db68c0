import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { Ago } from '../display/Ago.tsx';
import { changesQuery, type EntityChange } from './connector-queries.ts';

const COLOURS = { added: 'green', changed: 'blue', removed: 'red', returned: 'green' } as const;

/** What differs from sync to sync, newest first. */
export function ChangeTable({ connectionId }: { readonly connectionId: string }) {
  const changes = useQuery(changesQuery(connectionId));
  return (
    <Table<EntityChange>
      variant="container"
      wrapLines
      loading={changes.isPending}
      loadingText="Loading changes"
      items={changes.data ?? []}
      trackBy={(row) => String(row.id)}
      ariaLabels={{ tableLabel: 'Changes' }}
      header={<Header variant="h2">Changes</Header>}
      columnDefinitions={[
        { id: 'change', header: 'Change', cell: (row) => <Badge color={COLOURS[row.change]}>{row.change}</Badge> },
        { id: 'name', header: 'What', isRowHeader: true, cell: (row) => row.name ?? row.externalId },
        { id: 'kind', header: 'Kind', cell: (row) => row.kind },
        { id: 'fields', header: 'Fields', cell: (row) => row.fields.join(', ') },
        { id: 'at', header: 'Seen', cell: (row) => <Ago at={row.at} none="" /> },
      ]}
      empty={<Box color="text-body-secondary">Nothing has changed yet.</Box>}
    />
  );
}
