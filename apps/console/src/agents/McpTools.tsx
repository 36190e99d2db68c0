import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App, McpItem } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { mcpItemsQuery } from './agent-queries.ts';
import { McpSettingsDialog } from './McpSettingsDialog.tsx';
import { McpReview } from './McpReview.tsx';
import { McpState } from './McpState.tsx';

const KINDS: Readonly<Record<McpItem['kind'], string>> = {
  tool: 'Tool',
  prompt: 'Prompt',
  instructions: 'Instructions',
  resource: 'Resource',
  'resource-template': 'Resource template',
  contents: 'Pinned contents',
};

const ORDER: Readonly<Record<McpItem['state'], number>> = { suspended: 0, pending: 1, accepted: 2, rejected: 3 };

/** What an MCP server offers: what waits for a decision first, who may use what. */
export function McpTools({ app }: { readonly app: App }) {
  const can = useCan();
  const items = useQuery(mcpItemsQuery(app.id));
  const [reviewed, setReviewed] = useState<string | null>(null);
  const [configuring, setConfiguring] = useState(false);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const look = useCommand({
    run: async () => taken(await api.POST('/api/v1/apps/{id}/mcp/look', { params: { path: { id: app.id } } })),
    done: 'The gateways ask the server.',
    changes: [['apps', app.id, 'mcp']],
  });
  const accept = useCommand({
    run: async (list: readonly McpItem[]) => {
      for (const { id, seenSha256 } of list) {
        const params = { path: { id: app.id, itemId: id } };
        taken(await api.POST('/api/v1/apps/{id}/mcp/items/{itemId}/accept', { params, body: { sha256: seenSha256 } }));
      }
    },
    done: (_, list) => `${list.length} accepted.`,
    changes: [['apps', app.id], ['audit']],
    onDone: () => setChosen([]),
  });
  const rows = (items.data ?? []).toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || (a.name < b.name ? -1 : 1));
  const open = rows.find(({ id }) => id === reviewed);
  const selected = rows.filter(({ id }) => chosen.includes(id));
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={items.error ?? look.error ?? accept.error} />
      <Table<McpItem>
        variant="container"
        wrapLines
        loading={items.isPending}
        loadingText="Loading tools"
        items={rows}
        trackBy="id"
        {...(can('app.write')
          ? {
              selectionType: 'multi' as const,
              selectedItems: selected,
              // What is flagged or changed is decided one by one, with its text on the screen.
              isItemDisabled: (row: McpItem) => row.state !== 'pending' || row.flags.length > 0,
              onSelectionChange: ({ detail }) => setChosen(detail.selectedItems.map(({ id }) => id)),
            }
          : {})}
        ariaLabels={{
          tableLabel: 'Tools',
          selectionGroupLabel: 'Choose items to accept',
          allItemsSelectionLabel: () => 'Choose all',
          itemSelectionLabel: (_, row) =>
            row.kind === 'tool' ? `Choose ${row.name}` : `Choose ${KINDS[row.kind].toLowerCase()} ${row.name}`,
        }}
        header={
          <Header
            variant="h2"
            counter={`(${rows.length})`}
            description="What the server offers. Nothing is shown to an agent before it is accepted and granted."
            actions={
              can('app.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button onClick={() => setConfiguring(true)}>Settings</Button>
                  <Button loading={look.isPending} onClick={() => look.mutate()}>
                    Look now
                  </Button>
                  <Button
                    variant="primary"
                    disabled={selected.length === 0}
                    loading={accept.isPending}
                    onClick={() => accept.mutate(selected)}
                  >
                    Accept chosen
                  </Button>
                </SpaceBetween>
              ) : null
            }
          >
            Tools, prompts and resources
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (row) => (
              <Link
                href="#"
                onFollow={(event) => {
                  event.preventDefault();
                  setReviewed(row.id);
                }}
              >
                {row.kind === 'instructions' ? 'Instructions' : row.name}
              </Link>
            ),
          },
          { id: 'kind', header: 'Kind', cell: (row) => KINDS[row.kind] },
          { id: 'state', header: 'State', minWidth: 180, cell: (row) => <McpState state={row.state} /> },
          {
            id: 'access',
            header: 'Access',
            cell: (row) =>
              row.kind === 'tool' ? (
                <Badge color={row.access === 'write' ? 'severity-medium' : 'grey'}>{row.access}</Badge>
              ) : (
                '-'
              ),
          },
          {
            id: 'flags',
            header: 'Flags',
            cell: (row) =>
              row.flags.length === 0 ? '-' : <Badge color="severity-high">{`${row.flags.length} to look at`}</Badge>,
          },
          { id: 'granted', header: 'Granted to', cell: (row) => row.grantedTo.join(', ') || '-' },
          { id: 'seen', header: 'Last new', cell: (row) => <Ago at={row.seenAt} /> },
        ]}
        empty={
          <Box color="text-body-secondary">
            No gateway has reached the server yet. It is asked when it is added and every five minutes.
          </Box>
        }
      />
      {configuring && app.settings.mcp ? (
        <McpSettingsDialog app={app} settings={app.settings.mcp} onClose={() => setConfiguring(false)} />
      ) : null}
      {open ? <McpReview app={app} item={open} onClose={() => setReviewed(null)} /> : null}
    </SpaceBetween>
  );
}
