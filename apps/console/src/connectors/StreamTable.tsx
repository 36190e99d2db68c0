import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { Ago } from '../display/Ago.tsx';
import type { ConnectionDetail, Connector } from './connector-queries.ts';
import { EvidenceBadge, StreamStatus } from './ConnectorStates.tsx';

type Row = Connector['streams'][number];

/** Each stream: what it is proved against, whether it can be seen, and what it last gave. */
export function StreamTable({
  connection,
  connector,
}: {
  readonly connection: ConnectionDetail;
  readonly connector: Connector | undefined;
}) {
  const { lastSync } = connection;
  const isReading = lastSync !== null && lastSync.endedAt === null;
  const reading = (name: string) => (isReading ? lastSync.streams.find((one) => one.stream === name) : undefined);
  const stateOf = (name: string) => connection.streams.find((one) => one.stream === name);
  const known = (name: string): string =>
    connection.counts
      .filter((one) => one.stream === name)
      .map(({ kind, count }) => `${count.toLocaleString('en')} ${kind}`)
      .join(', ');
  const ended = lastSync?.streams.filter((one) => one.status !== 'waiting' && one.status !== 'running').length ?? 0;
  return (
    <SpaceBetween size="m">
      {isReading ? (
        <ProgressBar
          label="Reading"
          value={(100 * ended) / Math.max(1, lastSync.streams.length)}
          additionalInfo={`${ended} of ${lastSync.streams.length} streams, ${lastSync.streams.reduce((sum, one) => sum + one.entities, 0).toLocaleString('en')} read`}
        />
      ) : null}
      <Table<Row>
        variant="container"
        wrapLines
        items={connector?.streams ?? []}
        trackBy="name"
        ariaLabels={{ tableLabel: 'Streams' }}
        header={
          <Header variant="h2" counter={`(${connector?.streams.length ?? 0})`} description={connector?.evidenceNote}>
            Streams
          </Header>
        }
        columnDefinitions={[
          {
            id: 'title',
            header: 'Stream',
            isRowHeader: true,
            cell: (row) => (
              <>
                {row.title}
                <Box color="text-body-secondary" fontSize="body-s">
                  {row.emits.join(', ')}
                </Box>
              </>
            ),
          },
          {
            id: 'state',
            header: 'State',
            cell: (row) =>
              row.onDemand ? (
                <Box color="text-body-secondary">On demand, never stored</Box>
              ) : (
                <>
                  <StreamStatus status={reading(row.name)?.status ?? stateOf(row.name)?.status ?? 'never'} />
                  <Box color="text-body-secondary" fontSize="body-s">
                    {stateOf(row.name)?.reason}
                  </Box>
                </>
              ),
          },
          { id: 'known', header: 'Known', cell: (row) => known(row.name) },
          { id: 'read', header: 'Read', cell: (row) => <Ago at={stateOf(row.name)?.okAt ?? null} none="" /> },
          { id: 'evidence', header: 'Evidence', cell: (row) => <EvidenceBadge evidence={row.evidence} /> },
        ]}
        empty={<Box color="text-body-secondary">This connector is no longer there.</Box>}
      />
    </SpaceBetween>
  );
}
