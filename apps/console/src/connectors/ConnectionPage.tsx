import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { AuditList } from '../admin/AuditList.tsx';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { ActionTable } from './ActionTable.tsx';
import { ChangeTable } from './ChangeTable.tsx';
import { type ConnectionDetail, type Connector, connectionQuery, connectorsQuery } from './connector-queries.ts';
import { EntityTable } from './EntityTable.tsx';
import { PostureTable } from './PostureTable.tsx';
import { StreamTable } from './StreamTable.tsx';

export function ConnectionPage() {
  const { id } = useParams({ from: '/inside/connections/$id' });
  const connection = useQuery(connectionQuery(id));
  const connectors = useQuery(connectorsQuery);
  return (
    <QueryState query={connection}>
      {(data) => <OneConnection connection={data} connector={connectors.data?.find((one) => one.app === data.app)} />}
    </QueryState>
  );
}

function OneConnection({
  connection,
  connector,
}: {
  readonly connection: ConnectionDetail;
  readonly connector: Connector | undefined;
}) {
  const can = useCan();
  const go = useGo();
  const [isRemoving, setRemoving] = useState(false);
  const params = { path: { id: connection.id } };
  const changes = [['connections']] as const;
  const { lastSync } = connection;
  const isReading = lastSync !== null && lastSync.endedAt === null;
  const sync = useCommand({
    run: async () => taken(await api.POST('/api/v1/connections/{id}/syncs', { params, body: {} })),
    done: 'A sync begins.',
    changes,
  });
  const cancel = useCommand({
    run: async () => taken(await api.POST('/api/v1/connections/{id}/cancel', { params })),
    done: 'The sync stops after its page.',
    changes,
  });
  const change = useCommand({
    run: async (status: 'active' | 'paused') =>
      taken(await api.PATCH('/api/v1/connections/{id}', { params, body: { status } })),
    changes,
  });
  const remove = useCommand({
    run: async (_id: string) => taken(await api.DELETE('/api/v1/connections/{id}', { params })),
    done: `${connection.name} is removed.`,
    changes: [['connections'], ['sources']],
    onDone: () => go('/connections'),
  });
  const act = (id: string): void => {
    if (id === 'remove') setRemoving(true);
    else change.mutate(id === 'pause' ? 'paused' : 'active');
  };
  return (
    <Page
      title={connection.name}
      description={connector ? `${connector.title}: ${connection.baseUrl ?? connector.baseUrl}` : connection.app}
      parents={[{ text: 'Connections', href: '/connections' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {can('connector.sync') ? (
            <Button disabled={isReading} loading={sync.isPending} onClick={() => sync.mutate()}>
              Sync now
            </Button>
          ) : null}
          {can('connector.sync') && isReading ? (
            <Button loading={cancel.isPending} onClick={() => cancel.mutate()}>
              Stop the sync
            </Button>
          ) : null}
          {can('connector.write') ? (
            <ButtonDropdown
              items={[
                connection.status === 'paused' ? { id: 'resume', text: 'Resume' } : { id: 'pause', text: 'Pause' },
                { id: 'remove', text: 'Remove connection' },
              ]}
              onItemClick={({ detail }) => act(detail.id)}
            >
              Actions
            </ButtonDropdown>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={sync.error ?? cancel.error ?? change.error} />
        {connection.status === 'refused' ? (
          <Alert type="error" header="The tool refuses the credential">
            {connection.statusReason}
          </Alert>
        ) : null}
        {connection.status === 'paused' ? <Alert type="warning">Paused: it is read only by hand.</Alert> : null}
        <Tabs
          tabs={[
            {
              id: 'streams',
              label: 'Streams',
              content: <StreamTable connection={connection} connector={connector} />,
            },
            { id: 'entities', label: 'What was read', content: <EntityTable connectionId={connection.id} /> },
            { id: 'posture', label: 'Posture', content: <PostureTable connectionId={connection.id} /> },
            { id: 'changes', label: 'Changes', content: <ChangeTable connectionId={connection.id} /> },
            {
              id: 'actions',
              label: 'Actions',
              content: <ActionTable connection={connection} connector={connector} />,
            },
            {
              id: 'audit',
              label: 'Audit trail',
              content: <AuditList title="Audit trail" target={{ type: 'connection', id: connection.id }} />,
            },
          ]}
        />
      </SpaceBetween>
      {isRemoving ? (
        <Confirm
          title={`Remove ${connection.name}?`}
          text="What was read through it goes, its credential is erased, and posture no longer sees the tool. The tool itself is not changed."
          button="Remove"
          command={remove}
          input={connection.id}
          onClose={() => setRemoving(false)}
        />
      ) : null}
    </Page>
  );
}
