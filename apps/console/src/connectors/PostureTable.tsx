import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { QueryState } from '../shell/QueryState.tsx';
import { type Posture, postureQuery } from './connector-queries.ts';

type Item = Posture['items'][number];

const DAY_MS = 86_400_000;
const DAYS_MAX = 365;

const RESULTS: Readonly<Record<Item['result'], readonly [StatusIndicatorProps.Type, string]>> = {
  pass: ['success', 'Pass'],
  fail: ['error', 'Fail'],
  not_visible: ['info', 'Not visible'],
  not_applicable: ['stopped', 'Not applicable'],
  error: ['warning', 'Error'],
};

export const POSTURE_EXPORTS = [
  { format: 'csv', text: 'Export as CSV' },
  { format: 'ocsf', text: 'Export as OCSF' },
  { format: 'oscal', text: 'Export as OSCAL' },
] as const;

export const RESULT_FILTERS = [
  { id: 'fail', text: 'Failing' },
  { id: 'pass', text: 'Passing' },
  { id: 'not_visible', text: 'Not visible' },
  { id: 'all', text: 'All' },
];

export function PostureTable({ connectionId }: { readonly connectionId: string }) {
  const posture = useQuery(postureQuery(connectionId));
  return <QueryState query={posture}>{(data) => <Loaded connectionId={connectionId} posture={data} />}</QueryState>;
}

function Loaded({ connectionId, posture }: { readonly connectionId: string; readonly posture: Posture }) {
  const can = useCan();
  const [filter, setFilter] = useState('fail');
  const [excepting, setExcepting] = useState<Item | null>(null);
  const items = posture.items.filter((item) => filter === 'all' || item.result === filter);
  return (
    <SpaceBetween size="m">
      <PostureSummary score={posture.score} />
      <SpaceBetween direction="horizontal" size="xs">
        {POSTURE_EXPORTS.map(({ format, text }) => (
          <Button
            key={format}
            iconName="download"
            href={`/api/v1/connections/${connectionId}/posture/export?format=${format}`}
          >
            {text}
          </Button>
        ))}
      </SpaceBetween>
      <Table<Item>
        variant="container"
        wrapLines
        items={items}
        trackBy="check"
        ariaLabels={{ tableLabel: 'Checks' }}
        header={
          <Header variant="h2" counter={`(${items.length})`}>
            Checks
          </Header>
        }
        filter={
          <SegmentedControl
            label="Result"
            selectedId={filter}
            options={RESULT_FILTERS}
            onChange={({ detail }) => setFilter(detail.selectedId)}
          />
        }
        columnDefinitions={[
          {
            id: 'title',
            header: 'Check',
            isRowHeader: true,
            cell: (row) => (
              <>
                {row.title}
                <Box color="text-body-secondary" fontSize="body-s">
                  {row.check}
                </Box>
              </>
            ),
          },
          { id: 'severity', header: 'Severity', cell: (row) => row.severity },
          { id: 'result', header: 'Result', cell: (row) => <ResultCell item={row} /> },
          { id: 'since', header: 'Since', cell: (row) => <Ago at={row.since} none="" /> },
          {
            id: 'except',
            header: 'Exception',
            cell: (row) =>
              row.exception?.state === 'active' ? (
                `${row.exception.reason} (${row.exception.approvedBy})`
              ) : can('connector.write') && row.result === 'fail' ? (
                <Button variant="inline-link" ariaLabel={`Except: ${row.title}`} onClick={() => setExcepting(row)}>
                  Except …
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No check has this result.</Box>}
      />
      {excepting ? (
        <ExceptionForm connectionId={connectionId} item={excepting} onClose={() => setExcepting(null)} />
      ) : null}
    </SpaceBetween>
  );
}

/** What a check says, with its reason. */
export function ResultCell({ item }: { readonly item: Pick<Item, 'result' | 'reason'> }) {
  const [type, text] = RESULTS[item.result];
  return (
    <>
      <StatusIndicator type={type}>{text}</StatusIndicator>
      <Box color="text-body-secondary" fontSize="body-s">
        {item.reason}
      </Box>
    </>
  );
}

export function PostureSummary({ score }: Pick<Posture, 'score'>) {
  const facts = [
    ['Score', score.score === null ? 'nothing seen' : `${score.score} of 100`],
    ['Seen', `${Math.round(score.visibility * 100)} %`],
    ['Failing', String(score.failed)],
    ['Excepted', String(score.excepted)],
    ['Not visible', String(score.notVisible)],
  ] as const;
  return (
    <Container>
      <ColumnLayout columns={4} variant="text-grid">
        {facts.map(([label, value]) => (
          <div key={label}>
            <Box variant="awsui-key-label">{label}</Box>
            <Box fontSize="heading-l">{value}</Box>
          </div>
        ))}
      </ColumnLayout>
    </Container>
  );
}

function ExceptionForm({
  connectionId,
  item,
  onClose,
}: {
  readonly connectionId: string;
  readonly item: Item;
  readonly onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const [days, setDays] = useState('90');
  const count = Number(days);
  const except = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/connections/{id}/posture/exceptions', {
          params: { path: { id: connectionId } },
          body: { check: item.check, reason, expiresAt: Date.now() + Math.round(count * DAY_MS) },
        }),
      ),
    changes: [['connections', connectionId, 'posture'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Live with it for a while"
      button="Except"
      isReady={reason.trim() !== '' && count > 0 && count <= DAYS_MAX}
      command={except}
      onClose={onClose}
    >
      <Box>{item.title}</Box>
      <FormField label="Reason" description="One that somebody else can follow.">
        <Textarea value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField label="Days" constraintText={`At most ${DAYS_MAX}; then it fails in full again.`}>
        <Input type="number" value={days} onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
