import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { UploadButton, type UploadedFile } from '../vendors/UploadButton.tsx';
import { type FindingDetail, findingQuery } from './assurance-queries.ts';
import { ChangeFindingDialog } from './ChangeFindingDialog.tsx';
import { FindingState, SeverityBadge } from './FindingTable.tsx';

type State = FindingDetail['state'];
const NEXT: Readonly<Record<State, readonly State[]>> = {
  open: ['fixed', 'retest', 'closed', 'accepted'],
  fixed: ['retest', 'closed', 'open', 'accepted'],
  retest: ['closed', 'open'],
  closed: ['open'],
  accepted: ['open', 'fixed', 'closed'],
};

export function FindingPage() {
  const { id } = useParams({ from: '/inside/findings/$id' });
  const finding = useQuery(findingQuery(id));
  return <QueryState query={finding}>{(data) => <OneFinding finding={data} />}</QueryState>;
}

function OneFinding({ finding }: { readonly finding: FindingDetail }) {
  const can = useCan();
  const [dialog, setDialog] = useState<'move' | 'change' | null>(null);
  const attach = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.POST('/api/v1/findings/{id}/files', { params: { path: { id: finding.id } }, body })),
    done: 'The evidence is kept.',
    changes: [['findings', finding.id]],
  });
  return (
    <Page
      title={finding.title}
      description={finding.reference}
      parents={[
        { text: 'Vendors', href: '/vendors' },
        { text: 'Vendor', href: `/vendors/${finding.vendorId}` },
      ]}
      actions={
        can('vendor.write') ? (
          <SpaceBetween direction="horizontal" size="xs">
            <UploadButton label="Attach evidence" onFile={(file) => attach.mutate(file)} />
            <Button onClick={() => setDialog('change')}>Change</Button>
            <Button variant="primary" onClick={() => setDialog('move')}>
              Move on
            </Button>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={attach.error} />
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Severity', value: <SeverityBadge severity={finding.severity} /> },
            { label: 'State', value: <FindingState state={finding.state} isOverdue={finding.isOverdue} /> },
            { label: 'Due', value: finding.dueOn ?? 'no date' },
            { label: 'Found', value: finding.foundOn },
            {
              label: 'CVSS',
              value: [finding.cvssScore, finding.cvssVector].filter((one) => one !== null).join(' ') || '-',
            },
            { label: 'Whose work', value: finding.side === 'vendor' ? 'the vendor’s' : 'ours' },
            { label: 'Owner', value: finding.owner || '-' },
            { label: 'Accepted until', value: finding.acceptedUntil ?? '-' },
          ]}
        />
        <Container header={<Header variant="h2">What was found</Header>}>
          <SpaceBetween size="m">
            <div style={{ whiteSpace: 'pre-line' }}>{finding.description || 'No description.'}</div>
            {finding.recommendation === '' ? null : (
              <div style={{ whiteSpace: 'pre-line' }}>
                <b>Recommended: </b>
                {finding.recommendation}
              </div>
            )}
          </SpaceBetween>
        </Container>
        <History finding={finding} />
      </SpaceBetween>
      {dialog === 'move' ? <MoveDialog finding={finding} onClose={() => setDialog(null)} /> : null}
      {dialog === 'change' ? <ChangeFindingDialog finding={finding} onClose={() => setDialog(null)} /> : null}
    </Page>
  );
}

function History({ finding }: { readonly finding: FindingDetail }) {
  const can = useCan();
  const [text, setText] = useState('');
  const [isShared, setShared] = useState(false);
  const say = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/findings/{id}/remarks', {
          params: { path: { id: finding.id } },
          body: { text, isShared },
        }),
      ),
    changes: [['findings', finding.id]],
    onDone: () => setText(''),
  });
  return (
    <Container header={<Header variant="h2">What happened</Header>}>
      <SpaceBetween size="m">
        {finding.entries.length === 0 ? <Box color="text-body-secondary">Nothing yet.</Box> : null}
        {finding.entries.map((entry) => (
          <div key={entry.id}>
            <Box color="text-body-secondary" fontSize="body-s">
              {entry.author}, {showTime(entry.at)}
              {entry.to === null ? '' : `: ${entry.from ?? ''} to ${entry.to}`}
              {entry.side === 'own' && entry.isShared ? ' (the vendor sees this)' : ''}
            </Box>
            {entry.fileId === null ? (
              <Box>{entry.text}</Box>
            ) : (
              <a href={`/api/v1/vendors/${finding.vendorId}/files/${entry.fileId}/content`}>{entry.fileName}</a>
            )}
          </div>
        ))}
        {can('vendor.write') ? (
          <SpaceBetween size="xs">
            <ProblemAlert error={say.error} />
            <FormField label="Remark" stretch>
              <Textarea value={text} rows={2} onChange={({ detail }) => setText(detail.value)} />
            </FormField>
            {finding.side === 'vendor' ? (
              <Checkbox checked={isShared} onChange={({ detail }) => setShared(detail.checked)}>
                The vendor sees it
              </Checkbox>
            ) : null}
            <Button disabled={text.trim() === ''} loading={say.isPending} onClick={() => say.mutate(undefined)}>
              Add the remark
            </Button>
          </SpaceBetween>
        ) : null}
      </SpaceBetween>
    </Container>
  );
}

function MoveDialog({ finding, onClose }: { readonly finding: FindingDetail; readonly onClose: () => void }) {
  const options = NEXT[finding.state].map((value) => ({ value, label: value }));
  const [to, setTo] = useState<State>(options[0]?.value ?? 'open');
  const [note, setNote] = useState('');
  const [until, setUntil] = useState('');
  const move = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/findings/{id}/state', {
          params: { path: { id: finding.id } },
          body: { to, note, until: to === 'accepted' ? until : null, isShared: false },
        }),
      ),
    done: 'The finding moved on.',
    changes: [['findings'], ['vendors']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Move the finding on"
      button="Move"
      isReady={note.trim().length >= 3 && (to !== 'accepted' || until !== '')}
      command={{ isPending: move.isPending, error: move.error, mutate: () => move.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="To">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === to) ?? null}
          onChange={({ detail }) =>
            setTo(options.find(({ value }) => value === detail.selectedOption.value)?.value ?? to)
          }
        />
      </FormField>
      {to === 'accepted' ? (
        <FormField label="Accepted until (YYYY-MM-DD)" description="After this day it is open again.">
          <Input value={until} onChange={({ detail }) => setUntil(detail.value)} />
        </FormField>
      ) : null}
      {to === 'closed' ? <Box>It closes only when evidence was attached since it was opened.</Box> : null}
      <FormField label="Why">
        <Input value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
