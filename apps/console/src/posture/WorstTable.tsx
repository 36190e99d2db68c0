import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { PostureOverview } from '../connectors/connector-queries.ts';
import { ResultCell } from '../connectors/PostureTable.tsx';
import { Ago } from '../display/Ago.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

type Item = PostureOverview['items'][number];

const PAGE_ROWS = 25;

/** Checks over all tools, the most severe and longest standing first. */
export function WorstTable({ items, total }: { readonly items: readonly Item[]; readonly total: number }) {
  const [chosen, setPage] = useState(1);
  const pages = Math.max(1, Math.ceil(items.length / PAGE_ROWS));
  const page = Math.min(chosen, pages);
  return (
    <Table<Item>
      variant="container"
      wrapLines
      items={items.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS)}
      trackBy={(row) => `${row.connectionId} ${row.check}`}
      ariaLabels={{ tableLabel: 'Checks' }}
      header={
        <Header variant="h2" counter={`(${total})`} description="The most severe first, then what has stood longest.">
          Checks
        </Header>
      }
      pagination={
        <Pagination
          currentPageIndex={page}
          pagesCount={pages}
          ariaLabels={{
            paginationLabel: 'Pages of checks',
            nextPageLabel: 'Next page',
            previousPageLabel: 'Previous page',
          }}
          onChange={({ detail }) => setPage(detail.currentPageIndex)}
        />
      }
      columnDefinitions={[
        {
          id: 'title',
          header: 'Check',
          isRowHeader: true,
          minWidth: 200,
          cell: (row) => (
            <>
              {row.title}
              <Box color="text-body-secondary" fontSize="body-s">
                {row.check}
              </Box>
            </>
          ),
        },
        {
          id: 'tool',
          header: 'Tool',
          cell: (row) => <RouteLink href={`/connections/${row.connectionId}`}>{row.connection}</RouteLink>,
        },
        { id: 'severity', header: 'Severity', cell: (row) => row.severity },
        { id: 'result', header: 'Result', minWidth: 220, cell: (row) => <ResultCell item={row} /> },
        { id: 'since', header: 'Since', cell: (row) => <Ago at={row.since} none="" /> },
        {
          id: 'exception',
          header: 'Exception',
          cell: (row) => (row.exception === null ? '-' : `${row.exception.state}: ${row.exception.reason}`),
        },
      ]}
      empty={<Box color="text-body-secondary">No check is like that.</Box>}
    />
  );
}
