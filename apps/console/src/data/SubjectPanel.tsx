import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type SubjectRequest, subjectRequestsQuery } from './data-queries.ts';
import { countsText, dueLook, KIND_TEXT, REQUEST_LOOKS } from './subject-text.ts';

const MINUTE_MS = 60_000;

export function SubjectStatus({ status }: Pick<SubjectRequest, 'status'>) {
  const [type, text] = REQUEST_LOOKS[status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

export function SubjectDue({ request }: { readonly request: SubjectRequest }) {
  const now = useNow(MINUTE_MS);
  return <StatusIndicator type={dueLook(request, now)}>{showDay(request.dueAt)}</StatusIndicator>;
}

/** Requests of data subjects, what is due soonest on top. */
export function SubjectPanel() {
  const requests = useQuery(subjectRequestsQuery);
  const mayWrite = useCan()('subject.write');
  const [isOpening, setOpening] = useState(false);
  const items = requests.data ?? [];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={requests.error} />
      <Table<SubjectRequest>
        variant="container"
        wrapLines
        loading={requests.isPending}
        loadingText="Loading requests"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Subject requests' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="Find a person across the tools; hand over what is there, or take it away (Articles 15 to 20 GDPR)."
            actions={mayWrite ? <Button onClick={() => setOpening(true)}>Open a request</Button> : null}
          >
            Subject requests
          </Header>
        }
        columnDefinitions={[
          {
            id: 'reference',
            header: 'Reference',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/subject-requests/${row.id}`}>{row.reference}</RouteLink>,
          },
          { id: 'kind', header: 'Wish', cell: (row) => KIND_TEXT[row.kind] },
          { id: 'who', header: 'Person', cell: (row) => row.masked.map(({ text }) => text).join(', ') },
          { id: 'status', header: 'State', minWidth: 170, cell: (row) => <SubjectStatus status={row.status} /> },
          { id: 'due', header: 'Due', minWidth: 130, cell: (row) => <SubjectDue request={row} /> },
          { id: 'records', header: 'Records', minWidth: 160, cell: (row) => countsText(row.counts) },
        ]}
        empty={<Box color="text-body-secondary">Nobody has asked yet.</Box>}
      />
      {isOpening ? <OpenForm onClose={() => setOpening(false)} /> : null}
    </SpaceBetween>
  );
}

const KINDS = ['export', 'erase', 'anonymise'] as const;
const KIND_HELP = {
  export: 'A file for each app, with everything that names the person.',
  erase: 'Records are deleted; where a tool cannot, texts that name the person are replaced.',
  anonymise: 'Texts that name the person are replaced; nothing is deleted.',
} as const;

function OpenForm({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [kind, setKind] = useState<(typeof KINDS)[number]>('export');
  const [reference, setReference] = useState('');
  const [lines, setLines] = useState('');
  const [received, setReceived] = useState('');
  const [limit, setLimit] = useState('10');
  const identifiers = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((value) => ({ value }));
  const open = useCommand({
    run: async () => {
      const receivedAt = received === '' ? {} : { receivedAt: Date.parse(`${received}T00:00:00Z`) };
      const body = { kind, reference, identifiers, approvalAbove: Number(limit), perMinuteMax: 60, ...receivedAt };
      return taken(await api.POST('/api/v1/subject-requests', { body }));
    },
    changes: [['subjects'], ['audit']],
    onDone: ({ id }) => {
      onClose();
      void navigate({ to: '/subject-requests/$id', params: { id } });
    },
  });
  return (
    <FormDialog
      title="Open a subject request"
      button="Open"
      isReady={reference.trim() !== '' && identifiers.length > 0}
      command={{ isPending: open.isPending, error: open.error, mutate: () => open.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Wish">
        <RadioGroup
          value={kind}
          items={KINDS.map((value) => ({ value, label: KIND_TEXT[value], description: KIND_HELP[value] }))}
          onChange={({ detail }) => setKind(KINDS.find((one) => one === detail.value) ?? 'export')}
        />
      </FormField>
      <FormField
        label="Reference"
        description="How your register names it; not the person's name: it stays afterwards."
      >
        <Input value={reference} onChange={({ detail }) => setReference(detail.value)} />
      </FormField>
      <FormField
        label="What names the person"
        description="One a line: e-mail address, phone number, IBAN, customer number, name. Sealed, and forgotten when the request ends."
      >
        <Textarea rows={4} value={lines} onChange={({ detail }) => setLines(detail.value)} />
      </FormField>
      <FormField
        label="Received on"
        description="YYYY-MM-DD; today when left out. It is due a month later (Article 12(3))."
      >
        <Input value={received} onChange={({ detail }) => setReceived(detail.value)} />
      </FormField>
      <FormField label="Another person approves above" description="Records that a run would change.">
        <Input type="number" value={limit} onChange={({ detail }) => setLimit(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
