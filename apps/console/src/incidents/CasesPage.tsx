import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { IncidentCase } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { CaseStatus, SeverityBadge } from './IncidentBadges.tsx';
import { casesQuery, type CaseView } from './incident-queries.ts';
import { NoticeForm } from './NoticeForm.tsx';
import { spanText } from './span-text.ts';

export function CasesPage() {
  const [view, setView] = useState<CaseView>('open,contained,recovered');
  const [dialog, setDialog] = useState<'open' | 'notice' | null>(null);
  const close = (): void => setDialog(null);
  const can = useCan();
  const cases = useQuery(casesQuery(view));
  const items = cases.data?.items ?? [];
  return (
    <Page
      title="Cases"
      description="Incidents: what happened, who does what, how long it took."
      actions={
        can('case.write') ? (
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setDialog('notice')}>A vendor&apos;s notice</Button>
            <Button onClick={() => setDialog('open')}>Open a case</Button>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={cases.error} />
        {cases.data ? (
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'Median to detect', value: spanText(cases.data.medians.detectMs) },
              { label: 'Median to acknowledge', value: spanText(cases.data.medians.acknowledgeMs) },
              { label: 'Median to contain', value: spanText(cases.data.medians.containMs) },
              { label: 'Median to recover', value: spanText(cases.data.medians.recoverMs) },
            ]}
          />
        ) : null}
        <Table<IncidentCase>
          variant="container"
          wrapLines
          loading={cases.isPending}
          loadingText="Loading cases"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Cases' }}
          header={
            <Header
              variant="h2"
              counter={`(${items.length})`}
              actions={
                <SegmentedControl
                  label="Which cases"
                  selectedId={view}
                  options={[
                    { id: 'open,contained,recovered', text: 'Open' },
                    { id: 'closed', text: 'Closed' },
                  ]}
                  onChange={({ detail }) =>
                    setView(detail.selectedId === 'closed' ? 'closed' : 'open,contained,recovered')
                  }
                />
              }
            >
              Cases
            </Header>
          }
          columnDefinitions={[
            { id: 'number', header: 'Case', cell: (row) => row.number },
            { id: 'severity', header: 'Severity', cell: (row) => <SeverityBadge severity={row.severity} /> },
            {
              id: 'title',
              header: 'What',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/cases/${row.id}`}>{row.title}</RouteLink>,
            },
            { id: 'status', header: 'Status', cell: (row) => <CaseStatus status={row.status} /> },
            { id: 'detected', header: 'Detected', cell: (row) => <Ago at={row.detectedAt} /> },
            { id: 'contained', header: 'Contained in', cell: (row) => spanText(row.metrics.containMs) },
            { id: 'commander', header: 'Commander', cell: (row) => row.roles['commander'] ?? '-' },
          ]}
          empty={<Box color="text-body-secondary">No case is open.</Box>}
        />
      </SpaceBetween>
      {dialog === 'open' ? <CaseOpen onClose={close} /> : null}
      {dialog === 'notice' ? <NoticeForm onClose={close} /> : null}
    </Page>
  );
}

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

function CaseOpen({ onClose }: { readonly onClose: () => void }) {
  const go = useGo();
  const [title, setTitle] = useState('');
  const [summary, setSummary] = useState('');
  const [severity, setSeverity] = useState<(typeof SEVERITIES)[number]>('high');
  const open = useCommand<void, IncidentCase>({
    run: async () => taken(await api.POST('/api/v1/cases', { body: { title, summary, severity } })),
    changes: [['cases']],
    onDone: ({ id }) => {
      onClose();
      go(`/cases/${id}`);
    },
  });
  const options = SEVERITIES.map((value) => ({ value, label: value }));
  return (
    <FormDialog title="Open a case" button="Open" isReady={title.trim().length >= 3} command={open} onClose={onClose}>
      <FormField label="What happened">
        <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
      </FormField>
      <FormField label="Severity">
        <Select
          selectedOption={{ value: severity, label: severity }}
          options={options}
          onChange={({ detail }) =>
            setSeverity(SEVERITIES.find((one) => one === detail.selectedOption.value) ?? 'high')
          }
        />
      </FormField>
      <FormField label="What is known">
        <Textarea value={summary} rows={3} onChange={({ detail }) => setSummary(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
