import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Confirm } from '../display/Confirm.tsx';
import { showDay, showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import {
  exceptionsQuery,
  type RetentionException,
  type RetentionItem,
  retentionItemsQuery,
  retentionRulesQuery,
  type RetentionRun,
  retentionRunsQuery,
} from './data-queries.ts';
import { ExceptionForm } from './RetentionForms.tsx';
import { countsText, ruleText, scopeText } from './retention-text.ts';
import { RunStatus } from './RunStatus.tsx';

type Mode = RetentionRun['mode'];

/** A rule, its exceptions, and its runs: the newest is shown with what it found. */
export function RetentionRulePage() {
  const { id } = useParams({ from: '/inside/retention/$id' });
  const rules = useQuery(retentionRulesQuery);
  const runs = useQuery(retentionRunsQuery(id));
  const rule = rules.data?.find((one) => one.id === id);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = runs.data?.find((run) => run.id === chosen) ?? runs.data?.[0];
  return (
    <Page
      title={rule?.name ?? 'Retention rule'}
      description={rule ? ruleText(rule) : undefined}
      parents={[{ text: 'Data', href: '/data' }]}
      actions={<Starts id={id} onStarted={setChosen} />}
    >
      <SpaceBetween size="l">
        <ProblemAlert error={rules.error ?? runs.error} />
        {shown ? <Run run={shown} /> : <Box color="text-body-secondary">No run yet. A dry run changes nothing.</Box>}
        <Runs items={runs.data ?? []} onChoose={setChosen} />
        <Exceptions id={id} />
      </SpaceBetween>
    </Page>
  );
}

function Starts({ id, onStarted }: { readonly id: string; readonly onStarted: (run: string) => void }) {
  const mayWrite = useCan()('retention.write');
  const [isAsking, setAsking] = useState(false);
  const start = useCommand({
    run: async (mode: Mode) =>
      taken(await api.POST('/api/v1/retention/rules/{id}/runs', { params: { path: { id } }, body: { mode } })),
    changes: [['retention'], ['audit']],
    onDone: (run) => {
      onStarted(run.id);
      setAsking(false);
    },
  });
  if (!mayWrite) return null;
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {isAsking ? null : <ProblemAlert error={start.error} />}
      <Button onClick={() => setAsking(true)}>Run</Button>
      <Button variant="primary" loading={start.isPending} onClick={() => start.mutate('dry-run')}>
        Dry run
      </Button>
      {isAsking ? (
        <Confirm<Mode, RetentionRun>
          title="Run the rule"
          text="It acts in the tools on what is due. Above the rule's limit it waits for another person first. What was deleted does not come back."
          button="Run it"
          command={start}
          input="run"
          onClose={() => setAsking(false)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function Run({ run }: { readonly run: RetentionRun }) {
  const mayApprove = useCan()('retention.approve');
  const approve = useCommand({
    run: async (id: string) =>
      taken(await api.POST('/api/v1/retention/runs/{id}/approve', { params: { path: { id } }, body: {} })),
    done: 'Approved; it acts on exactly what it planned.',
    changes: [['retention'], ['audit']],
  });
  const title = run.mode === 'dry-run' ? 'Dry run' : 'Run';
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={approve.error} />
      <Container
        header={
          <Header
            variant="h2"
            actions={
              run.status === 'waiting' && mayApprove ? (
                <Button loading={approve.isPending} onClick={() => approve.mutate(run.id)}>
                  Approve
                </Button>
              ) : null
            }
          >
            {title}
          </Header>
        }
      >
        <SpaceBetween size="m">
          {run.error === null ? null : <Alert type="error">{run.error}</Alert>}
          <KeyValuePairs
            columns={3}
            items={[
              { label: 'State', value: <RunStatus status={run.status} /> },
              { label: 'Found', value: countsText(run) },
              { label: 'Asked by', value: `${run.requestedBy}, ${showTime(run.requestedAt)}` },
              { label: 'Approved by', value: run.approvedBy ?? '—' },
              { label: 'Ended', value: run.endedAt === null ? '—' : showTime(run.endedAt) },
              { label: 'Evidence (SHA-256)', value: run.evidenceSha256 ?? '—' },
            ]}
          />
          {run.unenforceable.length === 0 ? null : (
            <Alert type="warning" header="Cannot be enforced here">
              <ul>
                {run.unenforceable.map((gap) => (
                  <li key={`${gap.connectionId} ${gap.object}`}>{`${gap.app}: ${gap.object}: ${gap.because}`}</li>
                ))}
              </ul>
            </Alert>
          )}
        </SpaceBetween>
      </Container>
      <Items run={run} />
    </SpaceBetween>
  );
}

function Items({ run }: { readonly run: RetentionRun }) {
  const items = useQuery(retentionItemsQuery(run));
  const rows = items.data ?? [];
  return (
    <Table<RetentionItem>
      variant="container"
      wrapLines
      loading={items.isPending}
      loadingText="Loading records"
      items={rows}
      trackBy="seq"
      ariaLabels={{ tableLabel: 'Records of the run' }}
      header={
        <Header counter={`(${rows.length})`} description="The first 500, by the tool's own ids.">
          Records
        </Header>
      }
      columnDefinitions={[
        { id: 'id', header: 'Record', isRowHeader: true, cell: (row) => row.recordId },
        { id: 'place', header: 'Data set', cell: (row) => `${row.app}: ${row.object}` },
        { id: 'clock', header: 'Its date', cell: (row) => showDay(row.clockAt) },
        { id: 'verdict', header: 'Verdict', cell: (row) => row.verdict },
        { id: 'status', header: 'State', cell: (row) => row.status.replace('_', ' ') },
        { id: 'why', header: 'Why', minWidth: 200, cell: (row) => row.error ?? row.reason ?? row.outcome ?? '—' },
        {
          id: 'verified',
          header: 'Read again',
          cell: (row) => (row.verifiedAt === null ? '—' : showTime(row.verifiedAt)),
        },
      ]}
      empty={<Box color="text-body-secondary">Nothing is old enough.</Box>}
    />
  );
}

function Runs(props: { readonly items: readonly RetentionRun[]; readonly onChoose: (id: string) => void }) {
  const { items, onChoose } = props;
  return (
    <Table<RetentionRun>
      variant="container"
      wrapLines
      items={items}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Runs' }}
      header={<Header counter={`(${items.length})`}>Runs</Header>}
      columnDefinitions={[
        {
          id: 'at',
          header: 'Asked for',
          isRowHeader: true,
          cell: (row) => (
            <Button variant="inline-link" onClick={() => onChoose(row.id)}>
              {showTime(row.requestedAt)}
            </Button>
          ),
        },
        { id: 'mode', header: 'Kind', cell: (row) => (row.mode === 'dry-run' ? 'Dry run' : 'Run') },
        { id: 'status', header: 'State', cell: (row) => <RunStatus status={row.status} /> },
        { id: 'counts', header: 'Found', minWidth: 180, cell: countsText },
        { id: 'by', header: 'Asked by', cell: (row) => row.requestedBy },
      ]}
      empty={<Box color="text-body-secondary">No run yet.</Box>}
    />
  );
}

function Exceptions({ id }: { readonly id: string }) {
  const exceptions = useQuery(exceptionsQuery(id));
  const mayWrite = useCan()('retention.write');
  const [isAdding, setAdding] = useState(false);
  const items = exceptions.data ?? [];
  return (
    <>
      <ProblemAlert error={exceptions.error} />
      <Table<RetentionException>
        variant="container"
        wrapLines
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Exceptions' }}
        header={
          <Header
            counter={`(${items.length})`}
            actions={mayWrite ? <Button onClick={() => setAdding(true)}>Add an exception</Button> : null}
          >
            Exceptions
          </Header>
        }
        columnDefinitions={[
          { id: 'scope', header: 'What it spares', isRowHeader: true, cell: (row) => scopeText(row.scope) },
          { id: 'reason', header: 'Reason', cell: (row) => row.reason },
          { id: 'by', header: 'Granted by', cell: (row) => row.grantedBy },
          { id: 'until', header: 'Ends', cell: (row) => showDay(row.expiresAt) },
        ]}
        empty={<Box color="text-body-secondary">No exception.</Box>}
      />
      {isAdding ? <ExceptionForm ruleId={id} onClose={() => setAdding(false)} /> : null}
    </>
  );
}
