import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ActionForm } from './ActionForm.tsx';
import { type ActionRun, actionRunsQuery, type ConnectionDetail, type Connector } from './connector-queries.ts';
import { EvidenceBadge, RunState } from './ConnectorStates.tsx';

type Action = Connector['actions'][number];

/** What can be done in the tool, and what was. */
export function ActionTable({
  connection,
  connector,
}: {
  readonly connection: ConnectionDetail;
  readonly connector: Connector | undefined;
}) {
  const can = useCan();
  const runs = useQuery(actionRunsQuery(connection.id));
  const [chosen, setChosen] = useState<Action | null>(null);
  const titleOf = (name: string): string => connector?.actions.find((one) => one.name === name)?.title ?? name;
  return (
    <SpaceBetween size="m">
      <Table<Action>
        variant="container"
        wrapLines
        items={connector?.actions ?? []}
        trackBy="name"
        ariaLabels={{ tableLabel: 'Actions' }}
        header={<Header variant="h2">Actions</Header>}
        columnDefinitions={[
          { id: 'title', header: 'Action', isRowHeader: true, cell: (row) => row.title },
          { id: 'risk', header: 'Risk', cell: (row) => row.risk },
          { id: 'verify', header: 'Verified', cell: (row) => (row.canVerify ? 'by reading again' : 'no way to see') },
          { id: 'undo', header: 'Undo', cell: (row) => (row.canUndo ? 'yes' : (row.undoNote ?? 'no way back')) },
          { id: 'evidence', header: 'Evidence', cell: (row) => <EvidenceBadge evidence={row.evidence} /> },
          {
            id: 'run',
            header: 'Run',
            cell: (row) =>
              can('connector.act') ? (
                <Button variant="inline-link" ariaLabel={`Run: ${row.title}`} onClick={() => setChosen(row)}>
                  Run …
                </Button>
              ) : null,
          },
        ]}
      />
      <Table<ActionRun>
        variant="container"
        wrapLines
        items={runs.data ?? []}
        loading={runs.isPending}
        loadingText="Loading runs"
        trackBy="id"
        ariaLabels={{ tableLabel: 'Runs' }}
        header={<Header variant="h2">Runs</Header>}
        columnDefinitions={[
          { id: 'summary', header: 'What', isRowHeader: true, cell: (row) => row.summary ?? titleOf(row.action) },
          { id: 'state', header: 'State', cell: (row) => <RunState run={row} /> },
          { id: 'who', header: 'Who', cell: (row) => row.actor.name },
          { id: 'when', header: 'When', cell: (row) => <Ago at={row.createdAt} none="" /> },
        ]}
        empty={<Box color="text-body-secondary">Nothing was done yet.</Box>}
      />
      {chosen ? <ActionForm connectionId={connection.id} action={chosen} onClose={() => setChosen(null)} /> : null}
    </SpaceBetween>
  );
}
