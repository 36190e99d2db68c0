import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { connectionsQuery } from '../connectors/connector-queries.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type BackupPlan, backupsQuery } from './backup-queries.ts';
import { OwnBackup } from './OwnBackup.tsx';
import { Target } from './Target.tsx';

/** Apps with what would be lost and how long it would take, beside the targets. */
export function BackupsPage() {
  const can = useCan();
  const plans = useQuery(backupsQuery);
  const [isAdding, setAdding] = useState(false);
  return (
    <Page title="Backups" description="Apps whose data is kept, verified and ready to be restored, and Cordon itself.">
      <SpaceBetween size="m">
        <ProblemAlert error={plans.error} />
        {isAdding ? <AddPlan onDone={() => setAdding(false)} /> : null}
        <Table<BackupPlan>
          variant="container"
          wrapLines
          loading={plans.isPending}
          loadingText="Loading backups"
          items={plans.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Backups' }}
          header={
            <Header
              variant="h2"
              counter={`(${plans.data?.length ?? 0})`}
              actions={can('backup.write') ? <Button onClick={() => setAdding(true)}>Back up an app</Button> : null}
            >
              Apps
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'App',
              isRowHeader: true,
              cell: ({ id, name }) => <RouteLink href={`/backups/${id}`}>{name}</RouteLink>,
            },
            { id: 'records', header: 'Records', cell: ({ records }) => showCount(records) },
            { id: 'snapshots', header: 'Snapshots', cell: ({ snapshots }) => showCount(snapshots) },
            {
              id: 'verified',
              header: 'Newest verified',
              cell: ({ verifiedTakenAt }) => <Ago at={verifiedTakenAt} none="none" />,
            },
            {
              id: 'rpo',
              header: 'Recovery point',
              cell: ({ recovery, rpoS }) => <Target value={recovery.rpoS} isMet={recovery.rpoMet} target={rpoS} />,
            },
            {
              id: 'rto',
              header: 'Recovery time',
              cell: ({ recovery, rtoS }) => <Target value={recovery.rtoS} isMet={recovery.rtoMet} target={rtoS} />,
            },
          ]}
          empty={<Box color="text-body-secondary">No app is backed up yet.</Box>}
        />
        <OwnBackup />
      </SpaceBetween>
    </Page>
  );
}

function AddPlan({ onDone }: { readonly onDone: () => void }) {
  const connections = useQuery(connectionsQuery);
  const add = useCommand({
    run: async (id: string) => {
      const found = connections.data?.find((one) => one.id === id);
      const body = { connectionId: id, name: found?.name ?? id, app: found?.app ?? id };
      return taken(await api.PUT('/api/v1/backups', { body }));
    },
    done: 'It is backed up each day from now on.',
    changes: [['backups']],
    onDone,
  });
  return (
    <SpaceBetween size="xs">
      <ProblemAlert error={add.error ?? connections.error} />
      <Select
        ariaLabel="Connection to back up"
        placeholder="Choose a connection"
        selectedOption={null}
        options={(connections.data ?? []).map(({ id, name, app }) => ({ value: id, label: name, description: app }))}
        onChange={({ detail }) => add.mutate(detail.selectedOption.value ?? '')}
      />
    </SpaceBetween>
  );
}
