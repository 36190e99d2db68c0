import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignalReceiver, SignalSource } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { HoldsTable } from './HoldsTable.tsx';
import { ReceivedDialog, SentDialog } from './SignalEvents.tsx';
import { ReceiverForm } from './ReceiverForm.tsx';
import { SourceForm } from './SourceForm.tsx';

/** OpenID Shared Signals: who is told of ended sessions, factors and accounts, and who tells Cordon. */
export function SharedSignalsPage() {
  const [adding, setAdding] = useState<'receiver' | 'source' | null>(null);
  return (
    <Page
      title="Shared signals"
      description="OpenID Shared Signals (CAEP and RISC): what happens to a session, a factor or an account here is told to others at once, and what they tell ends it here."
    >
      <SpaceBetween size="l">
        <Receivers onAdd={() => setAdding('receiver')} />
        <Sources onAdd={() => setAdding('source')} />
        <HoldsTable />
      </SpaceBetween>
      {adding === 'receiver' ? <ReceiverForm onClose={() => setAdding(null)} /> : null}
      {adding === 'source' ? <SourceForm onClose={() => setAdding(null)} /> : null}
    </Page>
  );
}

const RECEIVER_STATES = {
  enabled: { type: 'success', text: 'told' },
  paused: { type: 'pending', text: 'paused; events wait' },
  disabled: { type: 'stopped', text: 'not told' },
} as const;

function Receivers({ onAdd }: { readonly onAdd: () => void }) {
  const can = useCan();
  const [shown, setShown] = useState<SignalReceiver | null>(null);
  const [removed, setRemoved] = useState<SignalReceiver | null>(null);
  const receivers = useQuery({
    queryKey: ['signal-receivers'],
    queryFn: async () => taken(await api.GET('/api/v1/signals/receivers')),
  });
  const changes = [['signal-receivers'], ['audit']];
  const status = useCommand({
    run: async ({ id, status: now }: SignalReceiver) =>
      taken(
        await api.PUT('/api/v1/signals/receivers/{id}/status', {
          params: { path: { id } },
          body: { status: now === 'enabled' ? 'paused' : 'enabled' },
        }),
      ),
    changes,
  });
  const verify = useCommand({
    run: async (id: string) =>
      taken(await api.POST('/api/v1/signals/receivers/{id}/verify', { params: { path: { id } } })),
    done: 'A verification event is on its way.',
  });
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/signals/receivers/{id}', { params: { path: { id } } })),
    done: 'The receiver is removed.',
    changes,
    onDone: () => setRemoved(null),
  });
  const isWriter = can('sso.write');
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={receivers.error ?? status.error ?? verify.error} />
      <Table<SignalReceiver>
        variant="container"
        wrapLines
        items={receivers.data?.items ?? []}
        loading={receivers.isPending}
        loadingText="Loading receivers"
        trackBy="id"
        ariaLabels={{ tableLabel: 'Receivers' }}
        header={
          <Header
            variant="h2"
            actions={isWriter ? <Button onClick={onAdd}>Add a receiver</Button> : null}
            description={
              <CopyToClipboard
                variant="inline"
                textToCopy={receivers.data?.metadataUrl ?? ''}
                copySuccessText="Copied"
                copyErrorText="Not copied"
                copyButtonAriaLabel="Copy the address of the metadata"
              />
            }
          >
            Who is told
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Receiver',
            isRowHeader: true,
            cell: (one) => (
              <Button variant="inline-link" ariaLabel={`What ${one.name} was told`} onClick={() => setShown(one)}>
                {one.name}
              </Button>
            ),
          },
          { id: 'audience', header: 'Audience', cell: (one) => one.audience },
          { id: 'delivery', header: 'Delivery', cell: (one) => one.delivery ?? 'it has made no stream yet' },
          {
            id: 'status',
            header: 'State',
            cell: (one) => (
              <StatusIndicator type={RECEIVER_STATES[one.status].type}>
                {RECEIVER_STATES[one.status].text}
              </StatusIndicator>
            ),
          },
          { id: 'used', header: 'Last seen', cell: (one) => <Ago at={one.lastUsedAt} none="never" /> },
          {
            id: 'action',
            header: 'Action',
            cell: (one) =>
              isWriter ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button variant="inline-link" ariaLabel={`Verify ${one.name}`} onClick={() => verify.mutate(one.id)}>
                    Verify
                  </Button>
                  <Button
                    variant="inline-link"
                    ariaLabel={`${one.status === 'enabled' ? 'Pause' : 'Go on with'} ${one.name}`}
                    onClick={() => status.mutate(one)}
                  >
                    {one.status === 'enabled' ? 'Pause' : 'Go on'}
                  </Button>
                  <Button variant="inline-link" ariaLabel={`Remove ${one.name}`} onClick={() => setRemoved(one)}>
                    Remove
                  </Button>
                </SpaceBetween>
              ) : (
                '-'
              ),
          },
        ]}
        empty={
          <Box color="text-body-secondary">Nobody. Apps that people open are told by single logout in any case.</Box>
        }
      />
      {shown ? <SentDialog receiver={shown} onClose={() => setShown(null)} /> : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name}?`}
          text="Its token ends, and it is told nothing more."
          button="Remove"
          command={remove}
          input={removed.id}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function Sources({ onAdd }: { readonly onAdd: () => void }) {
  const can = useCan();
  const [shown, setShown] = useState<SignalSource | null>(null);
  const [removed, setRemoved] = useState<SignalSource | null>(null);
  const sources = useQuery({
    queryKey: ['signal-sources'],
    queryFn: async () => taken(await api.GET('/api/v1/signals/sources')).items,
  });
  const changes = [['signal-sources'], ['audit']];
  const status = useCommand({
    run: async ({ id, status: now }: SignalSource) =>
      taken(
        await api.PATCH('/api/v1/signals/sources/{id}', {
          params: { path: { id } },
          body: { status: now === 'active' ? 'paused' : 'active' },
        }),
      ),
    changes,
  });
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/signals/sources/{id}', { params: { path: { id } } })),
    done: 'The source is removed.',
    changes,
    onDone: () => setRemoved(null),
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={sources.error ?? status.error} />
      <Table<SignalSource>
        variant="container"
        wrapLines
        items={sources.data ?? []}
        loading={sources.isPending}
        loadingText="Loading sources"
        trackBy="id"
        ariaLabels={{ tableLabel: 'Sources' }}
        header={
          <Header variant="h2" actions={can('sso.write') ? <Button onClick={onAdd}>Add a source</Button> : null}>
            Who tells Cordon
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Source',
            isRowHeader: true,
            cell: (one) => (
              <Button variant="inline-link" ariaLabel={`What ${one.name} told`} onClick={() => setShown(one)}>
                {one.name}
              </Button>
            ),
          },
          { id: 'issuer', header: 'Issuer', cell: (one) => one.issuer },
          { id: 'delivery', header: 'Delivery', cell: (one) => one.delivery },
          { id: 'state', header: 'State', cell: (one) => <SourceState source={one} /> },
          { id: 'last', header: 'Last event', cell: (one) => <Ago at={one.lastAt} none="none" /> },
          {
            id: 'action',
            header: 'Action',
            cell: (one) =>
              can('sso.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    variant="inline-link"
                    ariaLabel={`${one.status === 'active' ? 'Pause' : 'Go on with'} ${one.name}`}
                    onClick={() => status.mutate(one)}
                  >
                    {one.status === 'active' ? 'Pause' : 'Go on'}
                  </Button>
                  <Button variant="inline-link" ariaLabel={`Remove ${one.name}`} onClick={() => setRemoved(one)}>
                    Remove
                  </Button>
                </SpaceBetween>
              ) : (
                '-'
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">Nobody.</Box>}
      />
      {shown ? <ReceivedDialog source={shown} onClose={() => setShown(null)} /> : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name}?`}
          text="Our stream there ends, and nothing that it tells is believed any more."
          button="Remove"
          command={remove}
          input={removed.id}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function SourceState({ source }: { readonly source: SignalSource }) {
  if (source.status === 'paused') return <StatusIndicator type="stopped">paused</StatusIndicator>;
  if (source.lastError !== null) return <StatusIndicator type="error">{source.lastError}</StatusIndicator>;
  return source.verifiedAt === null ? (
    <StatusIndicator type="pending">not verified yet</StatusIndicator>
  ) : (
    <StatusIndicator>verified</StatusIndicator>
  );
}
