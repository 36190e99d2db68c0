import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { VendorAttestations } from '../assurance/VendorAttestations.tsx';
import { VendorPentests } from '../assurance/VendorPentests.tsx';
import { AuditList } from '../admin/AuditList.tsx';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { StageBadge } from './StageBadge.tsx';
import { UploadButton, type UploadedFile } from './UploadButton.tsx';
import { VendorContracts } from './VendorContracts.tsx';
import { VendorEdit } from './VendorEdit.tsx';
import { VendorMonitoring } from './VendorMonitoring.tsx';
import { VendorQuestionnaires } from './VendorQuestionnaires.tsx';
import { VendorScore } from './VendorScore.tsx';
import { type VendorDetail, vendorQuery } from './vendor-queries.ts';

const NEXT: Readonly<Record<VendorDetail['stage'], readonly VendorDetail['stage'][]>> = {
  intake: ['assessment'],
  assessment: ['approval', 'intake'],
  approval: ['monitoring', 'assessment'],
  monitoring: ['assessment'],
  offboarding: [],
  ended: [],
};

export function VendorPage() {
  const { id } = useParams({ from: '/inside/vendors/$id' });
  const vendor = useQuery(vendorQuery(id));
  return <QueryState query={vendor}>{(data) => <OneVendor vendor={data} />}</QueryState>;
}

function OneVendor({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const [dialog, setDialog] = useState<'stage' | 'offboard' | 'edit' | null>(null);
  const isOpen = !['offboarding', 'ended'].includes(vendor.stage);
  const tabs = [
    { id: 'questionnaires', label: 'Questionnaires', content: <VendorQuestionnaires vendor={vendor} /> },
    { id: 'score', label: 'Score', content: <VendorScore vendorId={vendor.id} /> },
    { id: 'monitoring', label: 'Monitoring', content: <VendorMonitoring vendorId={vendor.id} /> },
    { id: 'contracts', label: 'Contracts', content: <VendorContracts vendor={vendor} /> },
    { id: 'attestations', label: 'Audits', content: <VendorAttestations vendor={vendor} /> },
    { id: 'pentests', label: 'Penetration tests', content: <VendorPentests vendor={vendor} /> },
    { id: 'subprocessors', label: 'Subprocessors', content: <Subprocessors vendor={vendor} /> },
    { id: 'files', label: 'Files', content: <Files vendor={vendor} /> },
    ...(vendor.tasks.length > 0 ? [{ id: 'tasks', label: 'Offboarding', content: <Tasks vendor={vendor} /> }] : []),
    ...(can('audit.read')
      ? [
          {
            id: 'history',
            label: 'History',
            content: <AuditList title="History" target={{ type: 'vendor', id: vendor.id }} />,
          },
        ]
      : []),
  ];
  return (
    <Page
      title={vendor.name}
      parents={[{ text: 'Vendors', href: '/vendors' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button href={`/api/v1/vendors/${vendor.id}/export.pdf`}>Export as PDF</Button>
          <Button href={`/api/v1/vendors/${vendor.id}/export.oscal`}>Export as OSCAL</Button>
          {can('vendor.write') ? <Button onClick={() => setDialog('edit')}>Edit</Button> : null}
          {can('vendor.write') && isOpen ? <Button onClick={() => setDialog('stage')}>Move on</Button> : null}
          {can('vendor.write') && isOpen ? <Button onClick={() => setDialog('offboard')}>Offboard</Button> : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Stage', value: <StageBadge stage={vendor.stage} /> },
            { label: 'Tier', value: vendor.profile.tier },
            { label: 'Owner', value: vendor.profile.owner || '-' },
            { label: 'Regions', value: vendor.profile.regions.join(', ') || '-' },
            { label: 'Apps', value: vendor.appIds.length },
            { label: 'Products', value: vendor.profile.products.join(', ') || '-' },
            {
              label: 'Contacts',
              value: vendor.profile.contacts.map(({ name, email }) => `${name} <${email}>`).join(', ') || '-',
            },
            { label: 'Security contacts', value: vendor.profile.securityTxt?.contacts.join(', ') ?? '-' },
          ]}
        />
        <Tabs tabs={tabs} />
      </SpaceBetween>
      {dialog === 'edit' ? <VendorEdit vendor={vendor} onClose={() => setDialog(null)} /> : null}
      {dialog === null || dialog === 'edit' ? null : (
        <StageDialog vendor={vendor} isEnd={dialog === 'offboard'} onClose={() => setDialog(null)} />
      )}
    </Page>
  );
}

function StageDialog({
  vendor,
  isEnd,
  onClose,
}: {
  readonly vendor: VendorDetail;
  readonly isEnd: boolean;
  readonly onClose: () => void;
}) {
  const options = NEXT[vendor.stage].map((value) => ({ value, label: value }));
  const [stage, setStage] = useState(options[0]?.value ?? 'assessment');
  const [reason, setReason] = useState('');
  const params = { path: { id: vendor.id } };
  const move = useCommand({
    run: async () =>
      isEnd
        ? taken(await api.POST('/api/v1/vendors/{id}/offboard', { params, body: { reason } }))
        : taken(await api.POST('/api/v1/vendors/{id}/stage', { params, body: { stage, reason } })),
    done: isEnd ? `${vendor.name} is cut off.` : `${vendor.name} moved on.`,
    changes: [['vendors'], ['integrations'], ['map'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={isEnd ? `Offboard ${vendor.name}?` : `Move ${vendor.name} on`}
      button={isEnd ? 'Cut off and offboard' : 'Move'}
      isReady={reason.trim().length >= 3}
      command={{ isPending: move.isPending, error: move.error, mutate: () => move.mutate(undefined) }}
      onClose={onClose}
    >
      {isEnd ? (
        <Box>Every integration loses its access to this vendor’s apps at once. The rest is a list of tasks.</Box>
      ) : (
        <FormField label="Stage">
          <Select
            options={options}
            selectedOption={options.find(({ value }) => value === stage) ?? null}
            onChange={({ detail }) =>
              setStage(options.find(({ value }) => value === detail.selectedOption.value)?.value ?? stage)
            }
          />
        </FormField>
      )}
      <FormField label="Reason">
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function Subprocessors({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const upload = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.PUT('/api/v1/vendors/{id}/subprocessors', { params: { path: { id: vendor.id } }, body })),
    done: 'The list is read.',
    changes: [['vendors']],
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={upload.error} />
      <Table
        variant="container"
        wrapLines
        items={vendor.subprocessors}
        trackBy="key"
        ariaLabels={{ tableLabel: 'Subprocessors' }}
        header={
          <Header
            variant="h2"
            counter={`(${vendor.subprocessors.length})`}
            actions={
              can('vendor.write') ? <UploadButton label="Upload a list" onFile={(file) => upload.mutate(file)} /> : null
            }
          >
            Subprocessors
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Company', isRowHeader: true, cell: (row) => row.name },
          { id: 'country', header: 'Where', cell: (row) => row.country ?? '-' },
          { id: 'purpose', header: 'What for', cell: (row) => row.purpose ?? '-' },
          { id: 'source', header: 'From', cell: (row) => `${row.source}, ${showDay(row.seenAt)}` },
        ]}
        empty={
          <Box color="text-body-secondary">
            No list yet: a page, CSV, workbook or document that the vendor publishes.
          </Box>
        }
      />
    </SpaceBetween>
  );
}

function Files({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const upload = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.POST('/api/v1/vendors/{id}/files', { params: { path: { id: vendor.id } }, body })),
    done: 'The file is kept.',
    changes: [['vendors']],
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={upload.error} />
      <Table
        variant="container"
        wrapLines
        items={vendor.files}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Files' }}
        header={
          <Header
            variant="h2"
            counter={`(${vendor.files.length})`}
            actions={
              can('vendor.write') ? (
                <UploadButton label="Upload evidence" onFile={(file) => upload.mutate(file)} />
              ) : null
            }
          >
            Files
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (row) => <a href={`/api/v1/vendors/${vendor.id}/files/${row.id}/content`}>{row.name}</a>,
          },
          { id: 'purpose', header: 'Purpose', cell: (row) => row.purpose },
          { id: 'hash', header: 'SHA-256', cell: (row) => <code>{row.sha256.slice(0, 16)}…</code> },
          { id: 'by', header: 'From', cell: (row) => `${row.createdBy}, ${showDay(row.createdAt)}` },
        ]}
        empty={<Box color="text-body-secondary">No file yet.</Box>}
      />
    </SpaceBetween>
  );
}

function Tasks({ vendor }: { readonly vendor: VendorDetail }) {
  const [task, setTask] = useState<VendorDetail['tasks'][number] | null>(null);
  const [note, setNote] = useState('');
  const done = useCommand({
    run: async (taskId: string) =>
      taken(
        await api.POST('/api/v1/vendors/{id}/tasks/{taskId}/done', {
          params: { path: { id: vendor.id, taskId } },
          body: { note },
        }),
      ),
    done: 'The task is done.',
    changes: [['vendors']],
    onDone: () => setTask(null),
  });
  return (
    <>
      <Table
        variant="container"
        wrapLines
        items={vendor.tasks}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Tasks' }}
        header={<Header variant="h2">Offboarding</Header>}
        columnDefinitions={[
          { id: 'title', header: 'Task', isRowHeader: true, cell: (row) => row.title },
          {
            id: 'done',
            header: 'Done',
            cell: (row) =>
              row.doneAt === null ? (
                <Button variant="inline-link" ariaLabel={`Done: ${row.title}`} onClick={() => setTask(row)}>
                  Mark as done
                </Button>
              ) : (
                <StatusIndicator type="success">{`${row.doneBy ?? ''}, ${showDay(row.doneAt)}`}</StatusIndicator>
              ),
          },
          {
            id: 'proof',
            header: 'Proof',
            cell: (row) => (row.proof === null ? '-' : <code>{JSON.stringify(row.proof)}</code>),
          },
        ]}
      />
      {task ? (
        <FormDialog
          title={task.title}
          button="Done"
          isReady={note.trim().length >= 3}
          command={{ isPending: done.isPending, error: done.error, mutate: () => done.mutate(task.id) }}
          onClose={() => setTask(null)}
        >
          <FormField label="What shows it">
            <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
          </FormField>
        </FormDialog>
      ) : null}
    </>
  );
}
