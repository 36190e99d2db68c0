import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { CaseDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { channelsQuery } from './incident-queries.ts';
import { ReachForm } from './ReachForm.tsx';

type Message = CaseDetail['messages'][number];
const STATES = { sent: 'success', waiting: 'pending', failed: 'error', held: 'stopped' } as const;

/** What went out of a case, with what became of it. */
export function CaseMessages({ of, isWritable }: { readonly of: CaseDetail; readonly isWritable: boolean }) {
  const [dialog, setDialog] = useState<'message' | 'reach' | null>(null);
  const close = (): void => setDialog(null);
  return (
    <>
      <Table<Message>
        variant="container"
        wrapLines
        items={[...of.messages]}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Messages' }}
        header={
          <Header
            variant="h2"
            counter={`(${of.messages.length})`}
            actions={
              isWritable ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button onClick={() => setDialog('reach')}>Reach a contact</Button>
                  <Button onClick={() => setDialog('message')}>Send a message</Button>
                </SpaceBetween>
              ) : null
            }
          >
            Messages
          </Header>
        }
        columnDefinitions={[
          {
            id: 'subject',
            header: 'What',
            isRowHeader: true,
            cell: (row) => row.subject || row.text.slice(0, 120),
          },
          { id: 'to', header: 'To', cell: (row) => row.to.join(', ') || row.channel },
          {
            id: 'status',
            header: 'State',
            cell: (row) => (
              <StatusIndicator type={STATES[row.status]}>
                {row.status}
                {row.error === null ? '' : `: ${row.error}`}
              </StatusIndicator>
            ),
          },
          { id: 'at', header: 'When', cell: (row) => <Ago at={row.sentAt ?? row.createdAt} /> },
        ]}
        empty={
          <Box textAlign="center" padding="s" color="text-body-secondary">
            Nobody was told yet.
          </Box>
        }
      />
      {dialog === 'message' ? <MessageForm caseId={of.id} onClose={close} /> : null}
      {dialog === 'reach' ? <ReachForm caseId={of.id} onClose={close} /> : null}
    </>
  );
}

function MessageForm({ caseId, onClose }: { readonly caseId: string; readonly onClose: () => void }) {
  const channels = useQuery(channelsQuery).data ?? [];
  const [draft, setDraft] = useState({ channel: '', to: '', subject: '', text: '' });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const chosen = channels.find(({ name }) => name === draft.channel);
  const send = useCommand<void, unknown>({
    run: async () => {
      const to = draft.to.split(/[\s,]+/).filter((one) => one !== '');
      const body = { channel: draft.channel, subject: draft.subject, text: draft.text, to };
      return taken(await api.POST('/api/v1/cases/{id}/messages', { params: { path: { id: caseId } }, body }));
    },
    done: 'The message is on its way.',
    changes: [['cases']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Send a message"
      button="Send"
      isReady={draft.text.trim() !== '' && chosen !== undefined && (chosen.kind === 'chat' || draft.to !== '')}
      command={send}
      onClose={onClose}
    >
      <FormField
        label="Channel"
        description={channels.length === 0 ? <RouteLink href="/channels">Add a channel first</RouteLink> : undefined}
      >
        <Select
          placeholder="Choose a channel"
          selectedOption={chosen ? { value: chosen.name, label: chosen.name } : null}
          options={channels.map(({ name, shown }) => ({ value: name, label: name, description: shown }))}
          onChange={({ detail }) => set({ channel: detail.selectedOption.value ?? '' })}
        />
      </FormField>
      {chosen?.kind === 'mail' ? (
        <FormField label="To" description="Addresses with commas between them">
          <Input value={draft.to} onChange={({ detail }) => set({ to: detail.value })} />
        </FormField>
      ) : null}
      <FormField label="Subject">
        <Input value={draft.subject} onChange={({ detail }) => set({ subject: detail.value })} />
      </FormField>
      <FormField label="Text">
        <Textarea value={draft.text} rows={6} onChange={({ detail }) => set({ text: detail.value })} />
      </FormField>
    </FormDialog>
  );
}
