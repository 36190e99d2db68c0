import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { PagePanel } from '../shell/PagePanel.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { useIsNarrow } from '../shell/use-is-narrow.ts';
import { type DataMap, type DataMapFilter, dataMapQuery, LABELS } from './data-queries.ts';
import { DataMapDetails, selectionTitle } from './DataMapDetails.tsx';
import { DataMapTable } from './DataMapTable.tsx';

const DataMapCanvas = lazy(async () => ({ default: (await import('./DataMapCanvas.tsx')).DataMapCanvas }));

/** Apps, data sets and flows as a drawing; as a table where there is little room. */
export function DataMapPanel() {
  const [filter, setFilter] = useState<DataMapFilter>({});
  const [selected, setSelected] = useState<string | null>(null);
  const isNarrow = useIsNarrow();
  const [chosen, setView] = useState<string | null>(null);
  const view = chosen ?? (isNarrow ? 'table' : 'map');
  const map = useQuery(dataMapQuery(filter));
  const title = map.data && selected !== null ? selectionTitle(map.data, selected) : null;
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        description="What apps hold and where it goes. Lines have the colour of the label that they carry."
        actions={
          <SegmentedControl
            label="Show as"
            selectedId={view}
            options={[
              { id: 'map', text: 'Map' },
              { id: 'table', text: 'Table' },
            ]}
            onChange={({ detail }) => setView(detail.selectedId)}
          />
        }
      >
        Map of data
      </Header>
      <Filters map={map.data} filter={filter} onChange={setFilter} />
      <QueryState query={map}>
        {(data) => (
          <SpaceBetween size="s">
            <Summary map={data} />
            {view === 'table' ? (
              <DataMapTable map={data} onApp={(app) => setFilter({ ...filter, app })} />
            ) : data.apps.length > 0 ? (
              <Container disableContentPaddings>
                <Suspense fallback={<StatusIndicator type="loading">Loading the map</StatusIndicator>}>
                  <DataMapCanvas map={data} selected={selected} onSelect={setSelected} />
                </Suspense>
              </Container>
            ) : null}
            {selected !== null && title !== null ? (
              <PagePanel header={title} onClose={() => setSelected(null)}>
                <DataMapDetails map={data} selected={selected} onApp={(app) => setFilter({ ...filter, app })} />
              </PagePanel>
            ) : null}
          </SpaceBetween>
        )}
      </QueryState>
    </SpaceBetween>
  );
}

function Summary({ map }: { readonly map: DataMap }) {
  const { totals, left, level, choices } = map;
  if (totals.sets === 0) {
    return (
      <Box color="text-body-secondary" textAlign="center" padding="xl">
        {choices.apps.length === 0
          ? 'Nothing yet. Give an app its API description, connect a tool, or let integrations call.'
          : 'No data set matches.'}
      </Box>
    );
  }
  const hidden = [
    ...(left.apps > 0 ? [`${left.apps} apps`] : []),
    ...(left.sets > 0 ? [`${left.sets} data sets`] : []),
    ...(left.lines > 0 ? [`${left.lines} flows`] : []),
  ];
  return (
    <Box color="text-body-secondary">
      {`${totals.sets} data sets in ${totals.apps} apps, ${totals.flows} flows.`}
      {level === 'apps' ? ' Too many to draw each: choose an app to see its data sets.' : ''}
      {hidden.length > 0 ? ` Not in the picture: ${hidden.join(', ')}; filter to see them.` : ''}
    </Box>
  );
}

const NAMES = {
  app: 'Any app',
  category: 'Any category',
  label: 'Any label',
  region: 'Any region',
  vendor: 'Any vendor',
} as const;
type Name = keyof typeof NAMES;
const KEYS: readonly Name[] = ['app', 'category', 'label', 'region', 'vendor'];

function Filters({
  map,
  filter,
  onChange,
}: {
  readonly map: DataMap | undefined;
  readonly filter: DataMapFilter;
  readonly onChange: (filter: DataMapFilter) => void;
}) {
  const choices: Readonly<Record<Name, readonly string[]>> = {
    app: map?.choices.apps ?? [],
    category: map?.choices.categories ?? [],
    label: LABELS,
    region: map?.choices.regions ?? [],
    vendor: map?.choices.vendors ?? [],
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {KEYS.map((name) => {
        const options = [{ value: '', label: NAMES[name] }, ...choices[name].map((value) => ({ value, label: value }))];
        const value = filter[name] ?? '';
        return (
          <Select
            key={name}
            ariaLabel={NAMES[name].replace('Any', 'Filter by')}
            filteringType={options.length > 12 ? 'auto' : 'none'}
            options={options}
            selectedOption={options.find((one) => one.value === value) ?? { value, label: value }}
            onChange={({ detail }) => {
              const { [name]: _before, ...others } = filter;
              const next = detail.selectedOption.value ?? '';
              onChange(next === '' ? others : { ...others, [name]: next });
            }}
          />
        );
      })}
    </SpaceBetween>
  );
}
