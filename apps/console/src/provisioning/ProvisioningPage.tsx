import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ProvisionRun, ProvisionTarget } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { groupsQuery } from '../groups/group-queries.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { RunForm } from './RunForm.tsx';
import { TargetForm } from './TargetForm.tsx';

const REFRESH_MS = 3_000;

export function RunState({ run }: { readonly run: ProvisionRun }) {
  const { counts, error, endedAt, mode } = run;
  if (error !== null) return <StatusIndicator type="error">Stopped: {error}</StatusIndicator>;
  if (endedAt === null) return <StatusIndicator type="in-progress">Under way</StatusIndicator>;
  if (counts.failed > 0) return <StatusIndicator type="error">{counts.failed} failed</StatusIndicator>;
  if (counts.task > 0) return <StatusIndicator type="warning">{counts.task} for a person</StatusIndicator>;
  if (mode === 'preview') {
    return counts.planned === 0 ? (
      <StatusIndicator type="success">As wanted</StatusIndicator>
    ) : (
      <StatusIndicator type="info">{counts.planned} would change</StatusIndicator>
    );
  }
  return <StatusIndicator type="success">{counts.done + counts.nothing} done</StatusIndicator>;
}

type Dialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'push' | 'remove' | 'change'; readonly target: ProvisionTarget };

/** Tools that people and groups are pushed to, and every run with its evidence. */
export function ProvisioningPage() {
  const can = useCan();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const groups = useQuery(groupsQuery);
  const targets = useQuery({
    queryKey: ['provisioning', 'targets'],
    queryFn: async () => taken(await api.GET('/api/v1/provisioning/targets')).items,
    refetchInterval: REFRESH_MS,
  });
  const runs = useQuery({
    queryKey: ['provisioning', 'runs'],
    queryFn: async () => taken(await api.GET('/api/v1/provisioning/runs', { params: { query: {} } })).items,
    refetchInterval: REFRESH_MS,
  });
  const preview = useCommand({
    run: async (target: ProvisionTarget) => {
      const body = { mode: 'preview' as const, reason: 'Looked at in the console.' };
      return taken(
        await api.POST('/api/v1/provisioning/targets/{id}/runs', { params: { path: { id: target.id } }, body }),
      );
    },
    changes: [['provisioning']],
    onDone: ({ runId }) => void navigate({ to: '/provisioning/$id', params: { id: runId } }),
  });
  const pause = useCommand({
    run: async (target: ProvisionTarget) =>
      taken(
        await api.PATCH('/api/v1/provisioning/targets/{id}', {
          params: { path: { id: target.id } },
          body: { paused: !target.paused },
        }),
      ),
    done: (after) => (after.paused ? `${after.name} is left alone.` : `${after.name} is pushed to again.`),
    changes: [['provisioning'], ['audit']],
  });
  const remove = useCommand({
    run: async (target: ProvisionTarget) =>
      taken(await api.DELETE('/api/v1/provisioning/targets/{id}', { params: { path: { id: target.id } } })),
    done: (_, target) => `${target.name} is forgotten; nothing was changed there.`,
    changes: [['provisioning'], ['audit']],
    onDone: () => setDialog(null),
  });
  const nameOf = (id: string): string => groups.data?.find((one) => one.id === id)?.displayName ?? 'a removed group';
  const act = (id: string, target: ProvisionTarget): void => {
    if (id === 'preview') preview.mutate(target);
    else if (id === 'pause') pause.mutate(target);
    else setDialog({ kind: id === 'push' || id === 'change' ? id : 'remove', target });
  };
  return (
    <Page
      title="Provisioning"
      description="Tools that get accounts and groups from Cordon, and the evidence of each run."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={targets.error ?? runs.error ?? preview.error ?? pause.error} />
        <Table<ProvisionTarget>
          variant="container"
          wrapLines
          loading={targets.isPending}
          loadingText="Loading tools"
          items={targets.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Tools' }}
          header={
            <Header
              counter={`(${targets.data?.length ?? 0})`}
              actions={
                can('person.write') ? (
                  <Button variant="primary" onClick={() => setDialog({ kind: 'add' })}>
                    Add a tool
                  </Button>
                ) : null
              }
            >
              Tools
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Tool', isRowHeader: true, cell: (row) => row.name },
            { id: 'where', header: 'Where', cell: (row) => row.baseUrl ?? 'by hand, as tasks' },
            { id: 'who', header: 'Accounts for', cell: (row) => row.groups.map(nameOf).join(', ') },
            { id: 'groups', header: 'Groups pushed', cell: (row) => row.pushGroups.map(nameOf).join(', ') || '-' },
            {
              id: 'state',
              header: 'State',
              cell: (row) => (
                <StatusIndicator type={row.paused ? 'stopped' : 'success'}>
                  {row.paused ? 'Paused' : 'Pushed to'}
                </StatusIndicator>
              ),
            },
            { id: 'checked', header: 'Compared', cell: (row) => <Ago at={row.checkedAt} none="never" /> },
            {
              id: 'act',
              header: 'Action',
              cell: (row) =>
                can('person.write') ? (
                  <ButtonDropdown
                    variant="inline-icon"
                    expandToViewport
                    ariaLabel={`Actions for ${row.name}`}
                    items={[
                      { id: 'preview', text: 'Preview' },
                      { id: 'push', text: 'Push' },
                      { id: 'change', text: 'Change' },
                      { id: 'pause', text: row.paused ? 'Resume' : 'Pause' },
                      { id: 'remove', text: 'Remove' },
                    ]}
                    onItemClick={({ detail }) => act(detail.id, row)}
                  />
                ) : null,
            },
          ]}
          empty={<Box color="text-body-secondary">No tool yet: nobody gets an account by being in a group.</Box>}
        />
        <Table<ProvisionRun>
          variant="container"
          wrapLines
          loading={runs.isPending}
          loadingText="Loading runs"
          items={runs.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Runs' }}
          header={<Header counter={`(${runs.data?.length ?? 0})`}>Runs</Header>}
          columnDefinitions={[
            {
              id: 'what',
              header: 'Run',
              isRowHeader: true,
              cell: (row) => (
                <RouteLink href={`/provisioning/${row.id}`}>
                  {row.mode === 'push' ? 'Push to' : 'Preview of'} {row.targetName}
                </RouteLink>
              ),
            },
            { id: 'at', header: 'Began', cell: (row) => <Ago at={row.startedAt} /> },
            { id: 'by', header: 'By', cell: (row) => `${row.startedBy}: ${row.reason}` },
            { id: 'state', header: 'State', cell: (row) => <RunState run={row} /> },
          ]}
          empty={<Box color="text-body-secondary">Nothing was compared or pushed yet.</Box>}
        />
      </SpaceBetween>
      {dialog?.kind === 'add' ? <TargetForm target={null} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === 'change' ? <TargetForm target={dialog.target} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === 'push' ? <RunForm target={dialog.target} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === 'remove' ? (
        <Confirm
          title={`Remove ${dialog.target.name}?`}
          text="Cordon forgets the tool, its links and the evidence of its runs. Accounts there stay as they are."
          button="Remove"
          command={remove}
          input={dialog.target}
          onClose={() => setDialog(null)}
        />
      ) : null}
    </Page>
  );
}
