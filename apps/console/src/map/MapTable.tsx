import Box from '@cloudscape-design/components/box';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { EstateMap } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount, showMs } from '../display/number.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { EDGE_STATE_TEXT, edgeId, type EdgeState, edgeState, type MapEdge } from './map-model.ts';

export const EDGE_INDICATOR: Readonly<Record<EdgeState, StatusIndicatorProps.Type>> = {
  idle: 'stopped',
  flowing: 'success',
  'partly-refused': 'warning',
  refused: 'error',
  failing: 'error',
};

type Row = MapEdge & { readonly integration: string; readonly app: string };

/** The same as the picture, as rows: for screen readers, for narrow screens, and for sorting. */
export function MapTable({ map }: { readonly map: EstateMap }) {
  const [sorting, setSorting] = useState<{ field: keyof Row; isDescending: boolean }>({
    field: 'calls',
    isDescending: true,
  });
  const names = new Map([...map.integrations, ...map.apps].map(({ id, name }) => [id, name]));
  const rows: Row[] = map.edges.map((edge) => ({
    ...edge,
    integration: names.get(edge.integrationId) ?? edge.integrationId,
    app: names.get(edge.appId) ?? edge.appId,
  }));
  const sign = sorting.isDescending ? -1 : 1;
  rows.sort((a, b) => {
    const [left, right] = [a[sorting.field], b[sorting.field]];
    if (typeof left === 'string' && typeof right === 'string') return sign * left.localeCompare(right);
    return sign * (Number(left) - Number(right));
  });
  return (
    <Table<Row>
      variant="container"
      wrapLines
      ariaLabels={{ tableLabel: 'Traffic between integrations and apps' }}
      items={rows}
      trackBy={edgeId}
      sortingColumn={{ sortingField: sorting.field }}
      sortingDescending={sorting.isDescending}
      onSortingChange={({ detail }) => {
        const field = detail.sortingColumn.sortingField as keyof Row | undefined; // one of the columns below
        if (field) setSorting({ field, isDescending: detail.isDescending ?? false });
      }}
      columnDefinitions={[
        {
          id: 'integration',
          header: 'Integration',
          sortingField: 'integration',
          isRowHeader: true,
          cell: (row) => <RouteLink href={`/integrations/${row.integrationId}`}>{row.integration}</RouteLink>,
        },
        {
          id: 'app',
          header: 'App',
          sortingField: 'app',
          cell: (row) => <RouteLink href={`/apps/${row.appId}`}>{row.app}</RouteLink>,
        },
        {
          id: 'state',
          header: 'State',
          cell: (row) => (
            <StatusIndicator type={EDGE_INDICATOR[edgeState(row)]} wrapText={false}>
              {EDGE_STATE_TEXT[edgeState(row)]}
            </StatusIndicator>
          ),
        },
        { id: 'calls', header: 'Calls', sortingField: 'calls', cell: (row) => showCount(row.calls) },
        { id: 'refusals', header: 'Refused', sortingField: 'refusals', cell: (row) => showCount(row.refusals) },
        { id: 'redacted', header: 'Redacted', sortingField: 'redacted', cell: (row) => showCount(row.redacted) },
        { id: 'errors', header: 'Errors', sortingField: 'errors', cell: (row) => showCount(row.errors) },
        { id: 'p95', header: 'Latency, p95', sortingField: 'latencyP95', cell: (row) => showMs(row.latencyP95) },
        { id: 'granted', header: 'Granted', cell: (row) => (row.granted ? 'yes' : 'no') },
        { id: 'last', header: 'Last call', sortingField: 'lastAt', cell: (row) => <Ago at={row.lastAt} /> },
      ]}
      empty={<Box color="text-body-secondary">Nothing is granted and nothing has called.</Box>}
    />
  );
}
