import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { AuditRecord } from '../api/wire.ts';
import { showCount } from '../display/number.ts';
import { showTime } from '../display/time.ts';
import { Page } from '../shell/Page.tsx';
import { PagePanel } from '../shell/PagePanel.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { auditDetail } from './AuditList.tsx';
import { ProofPanel } from './ProofPanel.tsx';

const PAGE_RECORDS = 100;
const ANYTHING = { value: '', label: 'Any kind of object' };

function matches(record: AuditRecord, text: string, type: string): boolean {
  if (type !== '' && record.target.type !== type) return false;
  const haystack = `${record.actor.name} ${record.action} ${record.target.name ?? ''} ${record.target.id ?? ''} ${auditDetail(record)}`;
  return haystack.toLowerCase().includes(text.trim().toLowerCase());
}

export function AuditPage() {
  const [text, setText] = useState('');
  const [type, setType] = useState('');
  const [open, setOpen] = useState<AuditRecord | null>(null);
  const audit = useInfiniteQuery({
    queryKey: ['audit', 'all'],
    queryFn: async ({ pageParam }) => {
      const query = { limit: PAGE_RECORDS, ...(pageParam === null ? {} : { before: pageParam }) };
      return taken(await api.GET('/api/v1/audit', { params: { query } })).items;
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length === PAGE_RECORDS ? page.at(-1)?.seq : null),
  });
  const verify = useCommand({ run: async () => taken(await api.POST('/api/v1/audit/verify')) });
  const loaded = (audit.data?.pages ?? []).flat();
  const rows = loaded.filter((record) => matches(record, text, type));
  const types = [...new Set(loaded.map(({ target }) => target.type))].sort();
  return (
    <Page
      title="Audit trail"
      description="Every change, by whom, in the order it happened; each record carries the hash of the one before."
      actions={
        <Button iconName="security" loading={verify.isPending} onClick={() => verify.mutate()}>
          Verify the chain
        </Button>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={audit.error} />
        {verify.error ? <ProblemAlert error={verify.error} /> : null}
        {verify.data ? (
          <Alert type="success" header="The chain is whole" dismissible onDismiss={() => verify.reset()}>
            {showCount(verify.data.records)} records follow from each other. Keep this head elsewhere to prove later
            that nothing before it changed: <Box variant="code">{verify.data.head}</Box>
          </Alert>
        ) : null}
        <ProofPanel />
        <Table<AuditRecord>
          variant="container"
          contentDensity="compact"
          wrapLines
          loading={audit.isPending}
          loadingText="Loading the trail"
          items={rows}
          trackBy="hash"
          ariaLabels={{ tableLabel: 'Audit trail' }}
          header={<Header counter={`(${rows.length}${audit.hasNextPage ? '+' : ''})`}>Records</Header>}
          filter={
            <SpaceBetween direction="horizontal" size="s">
              <TextFilter
                filteringText={text}
                filteringPlaceholder="Find in what is loaded"
                filteringAriaLabel="Find records"
                onChange={({ detail }) => setText(detail.filteringText)}
              />
              <Select
                ariaLabel="Kind of object"
                selectedOption={type === '' ? ANYTHING : { value: type, label: type }}
                options={[ANYTHING, ...types.map((value) => ({ value, label: value }))]}
                onChange={({ detail }) => setType(detail.selectedOption.value ?? '')}
              />
            </SpaceBetween>
          }
          footer={
            audit.hasNextPage ? (
              <Box textAlign="center">
                <Button loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
                  Load older records
                </Button>
              </Box>
            ) : null
          }
          columnDefinitions={[
            {
              id: 'seq',
              header: 'No.',
              isRowHeader: true,
              cell: (row) => (
                <Button variant="inline-link" ariaLabel={`Open record ${row.seq}`} onClick={() => setOpen(row)}>
                  {String(row.seq)}
                </Button>
              ),
            },
            { id: 'at', header: 'When', cell: (row) => showTime(row.at) },
            { id: 'actor', header: 'Who', cell: (row) => row.actor.name },
            { id: 'action', header: 'Did', cell: (row) => row.action },
            {
              id: 'target',
              header: 'To',
              cell: (row) => `${row.target.type} ${row.target.name ?? row.target.id ?? ''}`,
            },
          ]}
          empty={<Box color="text-body-secondary">Nothing matches in what is loaded.</Box>}
        />
      </SpaceBetween>
      {open ? (
        <PagePanel header={`Record ${open.seq}`} onClose={() => setOpen(null)}>
          <Button
            iconName="download"
            href={`/api/v1/proof/records/${open.seq}`}
            download={`record-${open.seq}.tlog-proof`}
          >
            Proof of this record
          </Button>
          <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{JSON.stringify(open, null, 2)}</pre>
        </PagePanel>
      ) : null}
    </Page>
  );
}
