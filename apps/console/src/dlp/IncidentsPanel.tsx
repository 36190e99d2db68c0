import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { LabelBadge } from '../data/LabelBadge.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type Incident, incidentsQuery, type IncidentStatus } from './dlp-queries.ts';
import { classesText, placeText, STATUS_KIND, STATUS_TEXT } from './incident-text.ts';
import { RemedyDialog } from './RemedyDialog.tsx';

const STATUSES = Object.keys(STATUS_TEXT) as IncidentStatus[]; // the table's own keys

/** The queue: what waits for somebody, and what became of the rest. */
export function IncidentsPanel() {
  const [status, setStatus] = useState<IncidentStatus | ''>('');
  const [pages, setPages] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState<Incident[]>([]);
  const [isActing, setActing] = useState(false);
  const mayAct = useCan()('dlp.remedy');
  const after = pages.at(-1);
  const query = { ...(status === '' ? {} : { status }), ...(after === undefined ? {} : { after }) };
  const incidents = useQuery(incidentsQuery(query));
  const items = incidents.data?.items ?? [];
  const counts = incidents.data?.counts ?? {};
  const next = incidents.data?.next;
  const options = [
    { value: '', label: 'All states' },
    ...STATUSES.map((value) => ({ value: value as string, label: `${STATUS_TEXT[value]} (${counts[value] ?? 0})` })),
  ];
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={incidents.error} onRetry={() => void incidents.refetch()} />
      <Table<Incident>
        variant="container"
        wrapLines
        loading={incidents.isPending}
        loadingText="Loading incidents"
        items={items}
        trackBy="id"
        {...(mayAct ? { selectionType: 'multi' as const } : {})}
        selectedItems={chosen}
        onSelectionChange={({ detail }) => setChosen(detail.selectedItems)}
        isItemDisabled={({ source, status: state }) => source !== 'rest' || state === 'remediating'}
        ariaLabels={{
          tableLabel: 'Incidents',
          selectionGroupLabel: 'Incidents to act on',
          allItemsSelectionLabel: () => 'Select all',
          itemSelectionLabel: (_, row) => `Select ${placeText(row)}`,
        }}
        header={
          <Header
            counter={`(${Object.values(counts).reduce((sum, count) => sum + count, 0)})`}
            actions={
              mayAct ? (
                <Button disabled={chosen.length === 0} onClick={() => setActing(true)}>
                  Act on the selected
                </Button>
              ) : null
            }
          >
            Incidents
          </Header>
        }
        filter={
          <Select
            ariaLabel="State"
            options={options}
            selectedOption={options.find(({ value }) => value === status) ?? null}
            onChange={({ detail }) => {
              setPages([]);
              setStatus(STATUSES.find((one) => one === detail.selectedOption.value) ?? '');
            }}
          />
        }
        pagination={
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={pages.length === 0} onClick={() => setPages(pages.slice(0, -1))}>
              Newer
            </Button>
            <Button disabled={!next || items.length < 200} onClick={() => setPages([...pages, next ?? ''])}>
              Older
            </Button>
          </SpaceBetween>
        }
        columnDefinitions={[
          {
            id: 'place',
            header: 'Where',
            isRowHeader: true,
            minWidth: 200,
            cell: (row) => <RouteLink href={`/dlp/${row.id}`}>{placeText(row)}</RouteLink>,
          },
          { id: 'app', header: 'App', minWidth: 120, cell: (row) => `${row.app}: ${row.object}` },
          { id: 'what', header: 'Found', minWidth: 180, cell: classesText },
          { id: 'label', header: 'Label', cell: (row) => <LabelBadge label={row.label} /> },
          { id: 'sharing', header: 'Shared', cell: (row) => row.sharing ?? '—' },
          { id: 'rule', header: 'Rule', minWidth: 170, cell: (row) => `${row.rule.name}: ${row.action}` },
          {
            id: 'status',
            header: 'State',
            minWidth: 150,
            cell: (row) => <StatusIndicator type={STATUS_KIND[row.status]}>{STATUS_TEXT[row.status]}</StatusIndicator>,
          },
          { id: 'assignee', header: 'With', cell: (row) => row.assignee ?? '—' },
          { id: 'seen', header: 'Last seen', cell: (row) => <Ago at={row.lastSeen} /> },
        ]}
        empty={<Box color="text-body-secondary">Nothing found. Scan a connection, or wait for calls.</Box>}
      />
      {isActing ? (
        <RemedyDialog
          incidents={chosen}
          onClose={() => {
            setActing(false);
            setChosen([]);
          }}
        />
      ) : null}
    </SpaceBetween>
  );
}
