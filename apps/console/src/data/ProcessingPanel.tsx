import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Activity, processingQuery } from './data-queries.ts';

/** What an authority asks to see (GDPR Article 30), and what nobody has said yet. */
export function ProcessingPanel() {
  const rows = useQuery(processingQuery);
  const items = rows.data ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={rows.error} />
      <Table<Activity>
        variant="container"
        wrapLines
        loading={rows.isPending}
        loadingText="Loading the record"
        items={items}
        trackBy="flowId"
        ariaLabels={{ tableLabel: 'Processing record' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="GDPR Article 30, from the flows of personal data. Purpose and legal basis are said under Flows."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button href="/api/v1/data/processing.csv" download="processing.csv">
                  CSV
                </Button>
                <Button href="/api/v1/data/processing" download="processing.json">
                  JSON
                </Button>
                <Button href="/api/v1/data/fideslang" download="fideslang.json">
                  fideslang
                </Button>
                <Button href="/api/v1/data/dpv" download="dpv.jsonld">
                  DPV
                </Button>
              </SpaceBetween>
            }
          >
            Processing record
          </Header>
        }
        columnDefinitions={[
          { id: 'activity', header: 'Activity', isRowHeader: true, cell: (row) => row.activity },
          { id: 'purpose', header: 'Purpose', minWidth: 140, cell: (row) => row.purpose ?? '—' },
          { id: 'basis', header: 'Legal basis', cell: (row) => row.legalBasis ?? '—' },
          { id: 'who', header: 'Data subjects', cell: (row) => row.subjects.join(', ') || '—' },
          { id: 'what', header: 'Categories', minWidth: 180, cell: (row) => row.categories.join(', ') },
          { id: 'from', header: 'From', cell: (row) => row.source },
          { id: 'to', header: 'Recipient', cell: (row) => row.recipient },
          {
            id: 'transfer',
            header: 'Transfer',
            cell: (row) => (row.isTransfer ? `${row.fromRegion ?? ''} → ${row.toRegion ?? ''}` : '—'),
          },
          { id: 'erasure', header: 'Time limit', minWidth: 140, cell: (row) => row.erasure.join(', ') || '—' },
          {
            id: 'missing',
            header: 'Missing',
            minWidth: 230,
            cell: (row) =>
              row.missing.length === 0 ? (
                <StatusIndicator type="success">Nothing</StatusIndicator>
              ) : (
                <StatusIndicator type="warning">{row.missing.join(', ')}</StatusIndicator>
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">No flow of personal data is known.</Box>}
      />
    </SpaceBetween>
  );
}
