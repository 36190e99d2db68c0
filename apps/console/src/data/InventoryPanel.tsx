import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { setPath } from './data-path.ts';
import { type DataSet, LABELS, setsQuery } from './data-queries.ts';
import { LabelBadge } from './LabelBadge.tsx';

const ANY = { value: '', label: 'Any label' };
const OPTIONS = [ANY, ...LABELS.map((label) => ({ value: label, label }))];
const UNKNOWN_APP = { value: '', label: 'Any app' };

export function InventoryPanel() {
  const sets = useQuery(setsQuery);
  const [text, setText] = useState('');
  const [label, setLabel] = useState('');
  const [app, setApp] = useState('');
  const all = sets.data ?? [];
  const apps = [UNKNOWN_APP, ...[...new Set(all.map((set) => set.app))].map((name) => ({ value: name, label: name }))];
  const items = all.filter(
    (set) =>
      (label === '' || set.label === label) &&
      (app === '' || set.app === app) &&
      [set.app, set.object, set.region ?? '', set.vendor ?? '', ...set.categories]
        .join(' ')
        .toLowerCase()
        .includes(text.toLowerCase()),
  );
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={sets.error} />
      <Table<DataSet>
        variant="container"
        wrapLines
        loading={sets.isPending}
        loadingText="Loading data sets"
        items={items}
        trackBy={(set) => `${set.app}/${set.object}`}
        ariaLabels={{ tableLabel: 'Data sets' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="Found in API descriptions, in what connectors read, and in live traffic."
          >
            Data sets
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <TextFilter
              filteringText={text}
              filteringPlaceholder="Name, category, region, vendor"
              filteringAriaLabel="Find data sets"
              onChange={({ detail }) => setText(detail.filteringText)}
            />
            <Select
              ariaLabel="Label"
              options={OPTIONS}
              selectedOption={OPTIONS.find(({ value }) => value === label) ?? null}
              onChange={({ detail }) => setLabel(detail.selectedOption.value ?? '')}
            />
            <Select
              ariaLabel="App"
              options={apps}
              selectedOption={apps.find(({ value }) => value === app) ?? null}
              onChange={({ detail }) => setApp(detail.selectedOption.value ?? '')}
            />
          </SpaceBetween>
        }
        columnDefinitions={[
          {
            id: 'set',
            header: 'Data set',
            isRowHeader: true,
            cell: (set) => <RouteLink href={setPath(set)}>{`${set.app}: ${set.object}`}</RouteLink>,
          },
          {
            id: 'label',
            header: 'Label',
            minWidth: 150,
            cell: (set) => <LabelBadge label={set.label} isPinned={set.pinnedLabel !== null} />,
          },
          {
            id: 'categories',
            header: 'Categories',
            minWidth: 260,
            cell: (set) => set.categories.join(', ') || '—',
          },
          { id: 'fields', header: 'Fields', cell: (set) => showCount(set.fields) },
          { id: 'records', header: 'Sightings', cell: (set) => showCount(set.records) },
          { id: 'region', header: 'Region', cell: (set) => set.region ?? '—' },
          { id: 'vendor', header: 'Vendor', cell: (set) => set.vendor ?? '—' },
          { id: 'last', header: 'Last seen', cell: (set) => <Ago at={set.lastSeen} /> },
        ]}
        empty={
          <Box color="text-body-secondary">
            Nothing yet. Give an app its API description, connect a tool, or let integrations call.
          </Box>
        }
      />
    </SpaceBetween>
  );
}
