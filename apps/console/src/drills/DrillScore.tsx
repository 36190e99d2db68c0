import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { DrillScore as Score } from '../api/wire.ts';
import { tookText } from './drill-text.ts';

/** What was expected and what came true; while a drill runs, what is open. */
export function DrillScore({ score, isOver }: { readonly score: Score; readonly isOver: boolean }) {
  const { measures } = score;
  const measured = [
    { label: 'First use to alert', value: measures.detectMs },
    { label: 'Alert to proposed playbook', value: measures.proposeMs },
    { label: 'Proposal to decision', value: measures.decideMs },
    { label: 'Cut-off to the last gateway', value: measures.cutOffMs },
    { label: 'Approval to the last gateway', value: measures.containMs },
    { label: 'Approval to the attacker’s last success', value: measures.lastThroughMs },
    { label: 'First use to the first notice', value: measures.notifyMs },
  ].filter(({ value }) => value !== null);
  return (
    <SpaceBetween size="l">
      {measured.length > 0 ? (
        <Container header={<Header variant="h2">Measured</Header>}>
          <KeyValuePairs columns={4} items={measured.map(({ label, value }) => ({ label, value: tookText(value) }))} />
        </Container>
      ) : null}
      <Table<Score['checks'][number]>
        variant="container"
        wrapLines
        items={score.checks}
        trackBy="key"
        ariaLabels={{ tableLabel: 'Checks' }}
        header={<Header counter={`(${score.met} of ${score.total} met)`}>Checks</Header>}
        columnDefinitions={[
          {
            id: 'met',
            header: 'Result',
            cell: (row) => (
              <StatusIndicator type={row.met ? 'success' : isOver ? 'error' : 'pending'}>
                {row.met ? 'met' : isOver ? 'not met' : 'open'}
              </StatusIndicator>
            ),
          },
          { id: 'title', header: 'Expected', isRowHeader: true, cell: (row) => row.title },
          { id: 'took', header: 'Took', cell: (row) => tookText(row.tookMs) },
          { id: 'limit', header: 'Limit', cell: (row) => tookText(row.limitMs) },
          { id: 'evidence', header: 'Evidence', cell: (row) => row.evidence },
        ]}
      />
      {isOver ? (
        <Container header={<Header variant="h2">Missing</Header>}>
          {score.missing.length === 0 ? (
            <Box>Nothing and nobody.</Box>
          ) : (
            <ul>
              {score.missing.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          )}
        </Container>
      ) : null}
    </SpaceBetween>
  );
}
