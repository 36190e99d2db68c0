import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { showCount } from '../display/number.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { setPath } from './data-path.ts';
import type { DataMap } from './data-queries.ts';
import { nameOfNode } from './DataMapDetails.tsx';
import { HOWS } from './flow-text.ts';
import { LabelBadge } from './LabelBadge.tsx';

/** What the map draws, in words. */
export function DataMapTable({ map, onApp }: { readonly map: DataMap; readonly onApp: (app: string) => void }) {
  return (
    <SpaceBetween size="m">
      {map.level === 'apps' ? <Apps map={map} onApp={onApp} /> : <Sets map={map} />}
      <Table<DataMap['lines'][number]>
        variant="container"
        wrapLines
        items={map.lines}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Flows on the map' }}
        header={<Header counter={`(${map.lines.length})`}>Flows</Header>}
        columnDefinitions={[
          { id: 'from', header: 'From', isRowHeader: true, cell: (row) => nameOfNode(map, row.from) },
          { id: 'to', header: 'To', cell: (row) => nameOfNode(map, row.to) },
          { id: 'label', header: 'Label', minWidth: 120, cell: (row) => <LabelBadge label={row.label} /> },
          { id: 'records', header: 'Records', cell: (row) => showCount(row.records) },
          { id: 'integration', header: 'Integration', cell: (row) => row.integration.name },
          { id: 'how', header: 'Evidence', minWidth: 130, cell: (row) => HOWS[row.how] },
        ]}
        empty={<Box color="text-body-secondary">Nothing has moved yet.</Box>}
      />
    </SpaceBetween>
  );
}

function Sets({ map }: { readonly map: DataMap }) {
  return (
    <Table<DataMap['sets'][number]>
      variant="container"
      wrapLines
      items={map.sets}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Data sets on the map' }}
      header={<Header counter={`(${map.sets.length})`}>Data sets</Header>}
      columnDefinitions={[
        {
          id: 'set',
          header: 'Data set',
          isRowHeader: true,
          cell: (row) => <RouteLink href={setPath(row)}>{`${row.app}: ${row.object}`}</RouteLink>,
        },
        { id: 'label', header: 'Label', minWidth: 120, cell: (row) => <LabelBadge label={row.label} /> },
        { id: 'records', header: 'Sightings', cell: (row) => showCount(row.records) },
        { id: 'categories', header: 'Categories', minWidth: 180, cell: (row) => row.categories.join(', ') || '—' },
      ]}
      empty={<Box color="text-body-secondary">No data set matches.</Box>}
    />
  );
}

function Apps({ map, onApp }: { readonly map: DataMap; readonly onApp: (app: string) => void }) {
  return (
    <Table<DataMap['apps'][number]>
      variant="container"
      wrapLines
      items={map.apps}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Apps on the map' }}
      header={<Header counter={`(${map.apps.length})`}>Apps</Header>}
      columnDefinitions={[
        {
          id: 'app',
          header: 'App',
          isRowHeader: true,
          cell: (row) => (
            <Button variant="inline-link" ariaLabel={`Data sets of ${row.app}`} onClick={() => onApp(row.app)}>
              {row.app}
            </Button>
          ),
        },
        { id: 'label', header: 'Strictest label', minWidth: 120, cell: (row) => <LabelBadge label={row.label} /> },
        { id: 'sets', header: 'Data sets', cell: (row) => showCount(row.sets) },
        { id: 'region', header: 'Region', cell: (row) => row.region ?? '—' },
        { id: 'vendor', header: 'Vendor', cell: (row) => row.vendor ?? '—' },
      ]}
      empty={<Box color="text-body-secondary">No app matches.</Box>}
    />
  );
}
