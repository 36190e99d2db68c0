import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { LabelBadge } from '../data/LabelBadge.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { AssignDialog, DecideDialog } from './DecideDialog.tsx';
import { type IncidentDetail, incidentQuery, type Remedy } from './dlp-queries.ts';
import { placeText, STATUS_KIND, STATUS_TEXT } from './incident-text.ts';
import { PassForm } from './PassesPanel.tsx';
import { RemedyDialog } from './RemedyDialog.tsx';

type Open = 'decide' | 'assign' | 'remedy' | 'pass' | null;

/** One incident: what was found, what was decided, what was done, and the proof of it. */
export function IncidentPage() {
  const { id } = useParams({ from: '/inside/dlp/$id' });
  const incident = useQuery(incidentQuery(id));
  const { data } = incident;
  return (
    <Page
      title={data ? placeText(data) : 'Incident'}
      description={data ? `${data.app}: ${data.object}` : undefined}
      parents={[{ text: 'Data loss prevention', href: '/dlp' }]}
      actions={data ? <Acts incident={data} /> : null}
    >
      <SpaceBetween size="l">
        <ProblemAlert error={incident.error} onRetry={() => void incident.refetch()} />
        {data ? <Facts incident={data} /> : null}
        {data ? <Classes incident={data} /> : null}
        {data ? <Remedies incident={data} /> : null}
        {data ? <Notes incident={data} /> : null}
      </SpaceBetween>
    </Page>
  );
}

function Acts({ incident }: { readonly incident: IncidentDetail }) {
  const can = useCan();
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const isBusy = incident.status === 'remediating';
  const asks = incident.source === 'motion' && (incident.action === 'justify' || incident.action === 'quarantine');
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {can('dlp.decide') ? <Button onClick={() => setOpen('assign')}>Give to</Button> : null}
      {can('dlp.justify') ? (
        <Button disabled={isBusy} onClick={() => setOpen('decide')}>
          Decide
        </Button>
      ) : null}
      {asks && can('dlp.justify') ? (
        <Button variant="primary" onClick={() => setOpen('pass')}>
          {incident.action === 'justify' ? 'Justify and let pass' : 'Release'}
        </Button>
      ) : null}
      {can('dlp.remedy') && incident.source === 'rest' ? (
        <Button variant="primary" disabled={isBusy} onClick={() => setOpen('remedy')}>
          Act on it
        </Button>
      ) : null}
      {open === 'decide' ? <DecideDialog incident={incident} onClose={close} /> : null}
      {open === 'assign' ? <AssignDialog incident={incident} onClose={close} /> : null}
      {open === 'remedy' ? <RemedyDialog incidents={[incident]} onClose={close} /> : null}
      {open === 'pass' ? (
        <PassForm ruleId={incident.rule.id} integrationId={incident.integrationId ?? ''} onClose={close} />
      ) : null}
    </SpaceBetween>
  );
}

function Facts({ incident }: { readonly incident: IncidentDetail }) {
  return (
    <Container header={<Header variant="h2">What it is</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          {
            label: 'State',
            value: (
              <StatusIndicator type={STATUS_KIND[incident.status]}>{STATUS_TEXT[incident.status]}</StatusIndicator>
            ),
          },
          { label: 'Label', value: <LabelBadge label={incident.label} /> },
          { label: 'Rule', value: `${incident.rule.name}: ${incident.action}` },
          { label: 'Record', value: incident.recordId },
          { label: 'Shared', value: incident.sharing ?? '—' },
          { label: 'Owner', value: incident.ownerId ?? incident.integrationName ?? '—' },
          { label: 'With', value: incident.assignee ?? '—' },
          { label: 'First seen', value: showTime(incident.firstSeen) },
          { label: 'Last seen', value: `${showTime(incident.lastSeen)}, ${incident.times} times` },
        ]}
      />
    </Container>
  );
}

function Classes({ incident }: { readonly incident: IncidentDetail }) {
  return (
    <Table
      variant="container"
      wrapLines
      items={incident.classes}
      trackBy="class"
      ariaLabels={{ tableLabel: 'What was found' }}
      header={<Header description="Values are masked; of secrets nothing is kept.">What was found</Header>}
      columnDefinitions={[
        { id: 'class', header: 'Class', isRowHeader: true, cell: (row) => row.class },
        { id: 'count', header: 'How often', cell: (row) => row.count },
        { id: 'category', header: 'Category', cell: (row) => row.category },
        { id: 'where', header: 'Where', cell: (row) => row.where.join(', ') },
        { id: 'masked', header: 'Evidence', cell: (row) => row.masked.join(', ') || '—' },
        { id: 'confidence', header: 'Confidence', cell: (row) => row.confidence.toFixed(2) },
        { id: 'rule', header: 'Rule', cell: (row) => `${row.rule.name}: ${row.action}` },
      ]}
    />
  );
}

function Remedies({ incident }: { readonly incident: IncidentDetail }) {
  const mayAct = useCan()('dlp.remedy');
  const undo = useCommand({
    run: async ({ id }: Remedy) =>
      taken(await api.POST('/api/v1/dlp/remedies/{id}/undo', { params: { path: { id } }, body: {} })),
    done: 'It is being taken back.',
    changes: [['dlp'], ['audit']],
  });
  return (
    <>
      <ProblemAlert error={undo.error} />
      <Table<Remedy>
        variant="container"
        wrapLines
        items={incident.remedies}
        trackBy="id"
        ariaLabels={{ tableLabel: 'What was done' }}
        header={<Header counter={`(${incident.remedies.length})`}>What was done</Header>}
        columnDefinitions={[
          { id: 'action', header: 'Act', isRowHeader: true, cell: (row) => row.action },
          { id: 'status', header: 'State', cell: (row) => row.status },
          { id: 'by', header: 'Asked by', cell: (row) => `${row.requestedBy}, ${showTime(row.requestedAt)}` },
          { id: 'why', header: 'Why', cell: (row) => row.reason ?? row.outcome ?? '—' },
          { id: 'proof', header: 'Evidence (SHA-256)', minWidth: 160, cell: (row) => row.evidenceSha256 ?? '—' },
          {
            id: 'undo',
            header: 'Take back',
            cell: (row) =>
              mayAct && row.canUndo && (row.status === 'verified' || row.status === 'unverified') ? (
                <Button variant="inline-link" ariaLabel={`Take back: ${row.action}`} onClick={() => undo.mutate(row)}>
                  Take back
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing yet.</Box>}
      />
    </>
  );
}

function Notes({ incident }: { readonly incident: IncidentDetail }) {
  return (
    <Table
      variant="container"
      wrapLines
      items={incident.notes}
      ariaLabels={{ tableLabel: 'History' }}
      header={<Header counter={`(${incident.notes.length})`}>History</Header>}
      columnDefinitions={[
        { id: 'at', header: 'When', isRowHeader: true, cell: (row) => showTime(row.at) },
        { id: 'by', header: 'Who', cell: (row) => row.by },
        { id: 'what', header: 'What', cell: (row) => row.what },
        { id: 'note', header: 'Why', minWidth: 200, cell: (row) => row.note ?? '—' },
      ]}
    />
  );
}
