import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { PostureOverview } from '../connectors/connector-queries.ts';
import { Ago } from '../display/Ago.tsx';
import { showDay } from '../display/time.ts';

type Change = PostureOverview['changes'][number];
type Ending = PostureOverview['ending'][number];

/** What drifted from how it was, the newest first. */
export function MovedTable({ changes }: { readonly changes: readonly Change[] }) {
  return (
    <Table<Change>
      variant="container"
      wrapLines
      items={changes.slice(0, 50)}
      trackBy={(row) => `${row.connectionId} ${row.check} ${row.at} ${row.kind}`}
      ariaLabels={{ tableLabel: 'Drift' }}
      header={
        <Header variant="h2" description="What moved from how it was before.">
          Drift
        </Header>
      }
      columnDefinitions={[
        { id: 'check', header: 'Check', isRowHeader: true, cell: (row) => row.check },
        { id: 'tool', header: 'Tool', cell: (row) => row.connection },
        { id: 'from', header: 'Before', cell: (row) => row.before ?? '-' },
        { id: 'to', header: 'After', cell: (row) => row.after ?? '-' },
        { id: 'why', header: 'Why', minWidth: 200, cell: (row) => row.reason },
        { id: 'at', header: 'When', cell: (row) => <Ago at={row.at} none="" /> },
      ]}
      empty={<Box color="text-body-secondary">Nothing has moved since it was first judged.</Box>}
    />
  );
}

/** Exceptions that end soon, or have ended while the check still fails. */
export function EndingTable({ ending }: { readonly ending: readonly Ending[] }) {
  return (
    <Table<Ending>
      variant="container"
      wrapLines
      items={ending}
      trackBy={(row) => `${row.connectionId} ${row.check}`}
      ariaLabels={{ tableLabel: 'Exceptions that end' }}
      header={
        <Header variant="h2" description="Within 30 days, or already while the check still fails.">
          Exceptions that end
        </Header>
      }
      columnDefinitions={[
        { id: 'title', header: 'Check', isRowHeader: true, cell: (row) => row.title },
        { id: 'tool', header: 'Tool', cell: (row) => row.connection },
        { id: 'reason', header: 'Reason', cell: (row) => `${row.reason} (${row.approvedBy})` },
        {
          id: 'at',
          header: 'Ends',
          cell: (row) => (
            <StatusIndicator type={row.state === 'expired' ? 'error' : 'warning'}>
              {`${row.state === 'expired' ? 'ended ' : ''}${showDay(row.expiresAt)}`}
            </StatusIndicator>
          ),
        },
      ]}
      empty={<Box color="text-body-secondary">None.</Box>}
    />
  );
}
