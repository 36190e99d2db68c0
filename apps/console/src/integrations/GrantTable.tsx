import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery, grantsQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Grant, Integration } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { GrantForm } from './GrantForm.tsx';
import { describeSelector } from './grant-text.ts';

/** What an integration may do, app by app. Without a grant nothing is allowed. */
export function GrantTable({ integration }: { readonly integration: Integration }) {
  const can = useCan();
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Grant | null>(null);
  const grants = useQuery(grantsQuery({ integrationId: integration.id }));
  const apps = useQuery(appsQuery);
  const appName = (id: string): string => apps.data?.find((app) => app.id === id)?.title ?? id;
  const remove = useCommand({
    run: async (grant: Grant) => taken(await api.DELETE('/api/v1/grants/{id}', { params: { path: { id: grant.id } } })),
    done: 'The grant is removed.',
    changes: [['grants'], ['map'], ['audit']],
    onDone: () => setRemoved(null),
  });
  const addButton = can('grant.write') ? (
    <Button variant="primary" onClick={() => setAdding(true)}>
      Grant operations
    </Button>
  ) : null;
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={grants.error} />
      <Table<Grant>
        variant="container"
        wrapLines
        loading={grants.isPending}
        loadingText="Loading grants"
        items={grants.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Grants' }}
        header={
          <Header variant="h2" description="Whatever is not granted is refused." actions={addButton}>
            Grants
          </Header>
        }
        columnDefinitions={[
          {
            id: 'app',
            header: 'App',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/apps/${row.appId}`}>{appName(row.appId)}</RouteLink>,
          },
          { id: 'name', header: 'Name', cell: (row) => row.name },
          { id: 'select', header: 'May do', cell: (row) => <Selectors grant={row} /> },
          {
            id: 'scope',
            header: 'Only where',
            cell: (row) =>
              row.resourceScope.map((one) => `${one.parameter} is ${one.values.join(' or ')}`).join('; ') || 'anywhere',
          },
          {
            id: 'ends',
            header: 'Ends',
            cell: (row) => (row.expiresAt === null ? 'with the integration' : showDay(row.expiresAt)),
          },
          { id: 'by', header: 'Granted by', cell: (row) => `${row.createdBy}, ${showDay(row.createdAt)}` },
          ...(can('grant.write')
            ? [
                {
                  id: 'remove',
                  header: 'Action',
                  cell: (row: Grant) => (
                    <Button
                      variant="inline-link"
                      ariaLabel={`Remove the grant ${row.name} on ${appName(row.appId)}`}
                      onClick={() => setRemoved(row)}
                    >
                      Remove
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        empty={
          <Box textAlign="center" padding="m">
            <SpaceBetween size="s">
              <Box color="text-body-secondary">
                It may do nothing yet. Grant it what its purpose needs, and no more.
              </Box>
              {addButton}
            </SpaceBetween>
          </Box>
        }
      />
      {isAdding ? <GrantForm integration={integration} onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title={`Remove the grant on ${appName(removed.appId)}?`}
          text={`${integration.name} is refused these calls within a second, unless another grant covers them.`}
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function Selectors({ grant }: { readonly grant: Grant }) {
  const all = grant.select.flatMap((selector) =>
    selector.kind === 'operations' ? selector.ids : [describeSelector(selector)],
  );
  return (
    <div title={all.join('\n')}>
      {all.slice(0, 6).map((text) => (
        <div key={text}>{text}</div>
      ))}
      {all.length > 6 ? <Box color="text-body-secondary">and {all.length - 6} more</Box> : null}
    </div>
  );
}
