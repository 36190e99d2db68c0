import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import type { PostureOverview } from '../connectors/connector-queries.ts';
import { Ago } from '../display/Ago.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

type Tool = PostureOverview['tools'][number];

/** Each connected tool with its score, the lowest first. */
export function ToolTable({ tools }: { readonly tools: readonly Tool[] }) {
  const items = tools.toSorted((a, b) => (a.score.score ?? 101) - (b.score.score ?? 101));
  return (
    <Table<Tool>
      variant="container"
      wrapLines
      items={items}
      trackBy="connectionId"
      ariaLabels={{ tableLabel: 'Tools' }}
      header={
        <Header variant="h2" counter={`(${items.length})`}>
          Tools
        </Header>
      }
      columnDefinitions={[
        {
          id: 'name',
          header: 'Tool',
          isRowHeader: true,
          cell: (row) => <RouteLink href={`/connections/${row.connectionId}`}>{row.connection}</RouteLink>,
        },
        { id: 'title', header: 'Of', cell: (row) => row.title },
        { id: 'score', header: 'Score', cell: (row) => row.score.score ?? 'nothing seen' },
        { id: 'seen', header: 'Seen', cell: (row) => `${Math.round(row.score.visibility * 100)} %` },
        { id: 'failed', header: 'Failing', cell: (row) => row.score.failed },
        { id: 'excepted', header: 'Excepted', cell: (row) => row.score.excepted },
        { id: 'at', header: 'Judged', cell: (row) => <Ago at={row.evaluatedAt} none="" /> },
      ]}
      empty={<Box color="text-body-secondary">No tool is connected, or none has such a check.</Box>}
    />
  );
}
