import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { showBytes, showCount } from '../display/number.ts';
import { showDay } from '../display/time.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { AppState, RiskBadge } from './AppState.tsx';
import { EVIDENCE_NAMES, type FoundApp, foundAppsQuery } from './discovery-queries.ts';
import { FilesPanel } from './FilesPanel.tsx';
import { KeysPanel } from './KeysPanel.tsx';

const STATES = [
  { value: '', label: 'Any state' },
  { value: 'new', label: 'New' },
  { value: 'under_review', label: 'Under review' },
  { value: 'sanctioned', label: 'Sanctioned' },
  { value: 'tolerated', label: 'Tolerated' },
  { value: 'forbidden', label: 'Forbidden' },
] as const;

/** Who uses an app: names, and addresses that no name is known for. */
function showUsers({ users, addresses }: FoundApp): string {
  const parts = [users > 0 ? showCount(users) : '', addresses > 0 ? `${showCount(addresses)} addresses` : ''];
  return parts.filter((part) => part !== '').join(', ') || '—';
}

function AppsTable() {
  const found = useQuery(foundAppsQuery);
  const [text, setText] = useState('');
  const [state, setState] = useState('');
  const all = found.data?.items ?? [];
  const items = all.filter(
    (app) =>
      (state === '' || app.state === state) &&
      `${app.name} ${app.company ?? ''} ${app.categoryTitle ?? ''}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={found.error} />
      <Table<FoundApp>
        variant="container"
        wrapLines
        stickyHeader
        loading={found.isPending}
        loadingText="Loading found apps"
        items={items}
        trackBy="key"
        ariaLabels={{ tableLabel: 'Found apps' }}
        header={
          <Header
            counter={`(${items.length})`}
            description={`Matched against ${showCount(found.data?.known ?? 0)} known apps.`}
          >
            Found apps
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <TextFilter
              filteringText={text}
              filteringPlaceholder="Name, company, category"
              filteringAriaLabel="Find apps"
              onChange={({ detail }) => setText(detail.filteringText)}
            />
            <Select
              ariaLabel="State"
              options={STATES}
              selectedOption={STATES.find(({ value }) => value === state) ?? null}
              onChange={({ detail }) => setState(detail.selectedOption.value ?? '')}
            />
          </SpaceBetween>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'App',
            isRowHeader: true,
            cell: (app) => (
              <>
                <RouteLink href={`/discovery/${app.key}`}>{app.name}</RouteLink>
                <Box variant="small" display="block">
                  {app.categoryTitle ?? 'Not in the catalogue'}
                </Box>
              </>
            ),
          },
          { id: 'state', header: 'State', minWidth: 130, cell: (app) => <AppState state={app.state} /> },
          { id: 'risk', header: 'Risk', cell: (app) => <RiskBadge score={app.risk.score} /> },
          { id: 'users', header: 'Users', cell: showUsers },
          { id: 'bytes', header: 'Volume', cell: (app) => (app.bytes > 0 ? showBytes(app.bytes) : '—') },
          { id: 'first', header: 'First seen', cell: (app) => showDay(app.firstAt) },
          { id: 'last', header: 'Last seen', cell: (app) => showDay(app.lastAt) },
          {
            id: 'evidence',
            header: 'Evidence',
            cell: (app) => app.evidence.map((kind) => EVIDENCE_NAMES[kind]).join(', '),
          },
        ]}
        empty={
          <Box color="text-body-secondary">
            Nothing was found yet. Connect a tool, let clients use the forward proxy, or read a log under Files.
          </Box>
        }
      />
    </SpaceBetween>
  );
}

/** Apps that people use without being asked, keys that are too old, and the logs that tell of them. */
export function DiscoveryPage() {
  return (
    <Page
      title="Discovery"
      description="Apps that people use, whoever told of them: grants, sign-ins, traffic, logs, mail, expenses."
    >
      <Tabs
        tabs={[
          { id: 'apps', label: 'Apps', content: <AppsTable /> },
          { id: 'keys', label: 'Keys', content: <KeysPanel /> },
          { id: 'files', label: 'Files', content: <FilesPanel /> },
        ]}
      />
    </Page>
  );
}
