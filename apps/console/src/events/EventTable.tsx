import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CollectionPreferences from '@cloudscape-design/components/collection-preferences';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { type ReactNode, useState } from 'react';
import type { StoredEvent } from '../api/wire.ts';
import { showMs } from '../display/number.ts';
import { showClock } from '../display/time.ts';
import { Decision } from './Decision.tsx';
import { type EventFacts, factsOf } from './event-facts.ts';

const COLUMNS: readonly {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: EventFacts) => ReactNode;
}[] = [
  { id: 'decision', header: 'Decision', cell: (row) => <Decision decision={row.decision} /> },
  { id: 'who', header: 'Who', cell: (row) => row.who ?? '-' },
  { id: 'app', header: 'App', cell: (row) => row.app ?? '-' },
  { id: 'operation', header: 'Operation', cell: (row) => row.operation ?? row.kind },
  { id: 'reason', header: 'Reason', cell: (row) => row.reason ?? '-' },
  { id: 'data', header: 'Data classes', cell: (row) => row.findings.map((one) => one.class).join(', ') || '-' },
  { id: 'status', header: 'HTTP', cell: (row) => row.status ?? '-' },
  { id: 'latency', header: 'Latency', cell: (row) => (row.durationMs === undefined ? '-' : showMs(row.durationMs)) },
  { id: 'method', header: 'Method', cell: (row) => row.method ?? '-' },
  { id: 'path', header: 'Path', cell: (row) => row.path ?? '-' },
  { id: 'kind', header: 'Class', cell: (row) => row.kind },
];

const SHOWN_FIRST = ['decision', 'who', 'app', 'operation', 'reason', 'data', 'status', 'latency'];
const KEY = 'cordon.event-columns';

function storedColumns(): readonly string[] {
  const stored = localStorage.getItem(KEY)?.split(',') ?? [];
  return stored.some((id) => COLUMNS.some((column) => column.id === id)) ? stored : SHOWN_FIRST;
}

interface EventTableProps {
  readonly events: readonly StoredEvent[];
  readonly isLoading: boolean;
  readonly onSelect: (id: string) => void;
  readonly header: ReactNode;
  readonly pagination?: ReactNode;
  readonly empty: ReactNode;
}

export function EventTable({ events, isLoading, onSelect, header, pagination, empty }: EventTableProps) {
  const [columns, setColumns] = useState(storedColumns);
  const now = Date.now();
  const rows = events.map(factsOf);
  const definitions: TableProps.ColumnDefinition<EventFacts>[] = [
    {
      id: 'time',
      header: 'Time',
      minWidth: 150,
      isRowHeader: true,
      cell: (row) => (
        <Button
          variant="inline-link"
          ariaLabel={`Open event of ${showClock(row.time, now)}`}
          onClick={() => onSelect(row.id)}
        >
          {showClock(row.time, now)}
        </Button>
      ),
    },
    ...COLUMNS.filter(({ id }) => columns.includes(id)),
  ];
  return (
    <Table<EventFacts>
      variant="container"
      contentDensity="compact"
      stickyHeader
      items={rows}
      trackBy="id"
      loading={isLoading}
      loadingText="Searching"
      header={header}
      pagination={pagination}
      columnDefinitions={definitions}
      onRowClick={({ detail }) => onSelect(detail.item.id)}
      ariaLabels={{
        tableLabel: 'Events',
      }}
      preferences={
        <CollectionPreferences
          title="Columns"
          confirmLabel="Apply"
          cancelLabel="Cancel"
          preferences={{ contentDisplay: COLUMNS.map(({ id }) => ({ id, visible: columns.includes(id) })) }}
          contentDisplayPreference={{
            title: 'Shown columns',
            options: COLUMNS.map(({ id, header: label }) => ({ id, label })),
          }}
          onConfirm={({ detail }) => {
            const next = (detail.contentDisplay ?? []).filter(({ visible }) => visible).map(({ id }) => id);
            localStorage.setItem(KEY, next.join(','));
            setColumns(next);
          }}
        />
      }
      empty={<Box padding="l">{empty}</Box>}
    />
  );
}
