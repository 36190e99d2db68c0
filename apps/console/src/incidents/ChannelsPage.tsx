import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Channel } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { channelsQuery } from './incident-queries.ts';

/** The ways out of a case: mail servers and chat webhooks. */
export function ChannelsPage() {
  const mayWrite = useCan()('playbook.write');
  const channels = useQuery(channelsQuery);
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Channel | null>(null);
  const remove = useCommand({
    run: async (one: Channel) => taken(await api.DELETE('/api/v1/channels/{id}', { params: { path: { id: one.id } } })),
    done: (_, { name }) => `${name} is removed.`,
    changes: [['channels']],
    onDone: () => setRemoved(null),
  });
  return (
    <Page title="Channels" description="Where cases and playbooks send mail and chat messages.">
      <SpaceBetween size="m">
        <ProblemAlert error={channels.error} onRetry={() => void channels.refetch()} />
        <Table<Channel>
          variant="container"
          wrapLines
          loading={channels.isPending}
          loadingText="Loading channels"
          items={channels.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Channels' }}
          header={
            <Header
              counter={`(${channels.data?.length ?? 0})`}
              actions={
                mayWrite ? (
                  <Button variant="primary" onClick={() => setAdding(true)}>
                    Add channel
                  </Button>
                ) : null
              }
            >
              Channels
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            { id: 'kind', header: 'Kind', cell: (row) => (row.kind === 'mail' ? 'Mail' : 'Chat') },
            { id: 'shown', header: 'Goes to', cell: (row) => row.shown },
            { id: 'created', header: 'Added', cell: (row) => <Ago at={row.createdAt} /> },
            { id: 'by', header: 'By', cell: (row) => row.createdBy },
            ...(mayWrite
              ? [
                  {
                    id: 'remove',
                    header: 'Action',
                    cell: (row: Channel) => (
                      <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoved(row)}>
                        Remove
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              None yet. The ready playbooks tell the channel &quot;incidents&quot;.
            </Box>
          }
        />
      </SpaceBetween>
      {isAdding ? <ChannelForm onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name}?`}
          text="Messages that wait for it fail, and playbooks that name it can't tell anybody."
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </Page>
  );
}

function ChannelForm({ onClose }: { readonly onClose: () => void }) {
  const [draft, setDraft] = useState({ kind: 'chat', name: 'incidents', url: '', from: '', privateAddresses: '' });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const isMail = draft.kind === 'mail';
  const save = useCommand<void, unknown>({
    run: async () => {
      const { from, privateAddresses, ...rest } = draft;
      const allowed = privateAddresses.split(/[\s,]+/).filter((one) => one !== '');
      const body = { ...rest, privateAddresses: allowed, ...(isMail && { from }) };
      return taken(await api.POST('/api/v1/channels', { body }));
    },
    done: `The channel ${draft.name} is ready.`,
    changes: [['channels']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add a channel"
      button="Add"
      isReady={draft.name !== '' && draft.url !== '' && (!isMail || draft.from !== '')}
      command={save}
      onClose={onClose}
    >
      <SegmentedControl
        label="Kind"
        selectedId={draft.kind}
        options={[
          { id: 'chat', text: 'Chat webhook' },
          { id: 'mail', text: 'Mail server' },
        ]}
        onChange={({ detail }) => set({ kind: detail.selectedId })}
      />
      <FormField label="Name" description="a-z, 0-9 and dashes" errorText={fieldProblem(save.error, 'name')}>
        <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <FormField
        label="Address"
        description={
          isMail
            ? 'smtps://user:password@host:465, or smtp:// with STARTTLS. It is sealed and never shown again.'
            : 'A webhook that takes {"text": …}: Slack, Mattermost, Teams workflows. It is sealed and never shown again.'
        }
        errorText={fieldProblem(save.error, 'url')}
      >
        <Input value={draft.url} type="password" onChange={({ detail }) => set({ url: detail.value })} />
      </FormField>
      {isMail ? (
        <FormField label="Sender" errorText={fieldProblem(save.error, 'from')}>
          <Input value={draft.from} type="email" onChange={({ detail }) => set({ from: detail.value })} />
        </FormField>
      ) : null}
      <FormField label="Private addresses" description="Only where the server stands in your own network. With commas.">
        <Input value={draft.privateAddresses} onChange={({ detail }) => set({ privateAddresses: detail.value })} />
      </FormField>
    </FormDialog>
  );
}
