import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { EnrichmentState, ThreatList } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { enrichmentQuery, threatListsQuery } from './enrichment-queries.ts';
import { eventsHref } from './event-search.ts';
import { ThreatListForm } from './ThreatListForm.tsx';

const OLD_MS = 180 * 86_400_000;
const MONTH_MS = 30 * 86_400_000;
const GIVES = { country: 'country', asn: 'network', flags: 'kind of network' } as const;

/** What events are enriched from: where addresses lie, and which lists name something in them. */
export function EnrichmentPage() {
  const state = useQuery(enrichmentQuery);
  return (
    <Page
      title="Enrichment"
      description="What Cordon adds to each event: country and network of its address, threat lists."
    >
      <SpaceBetween size="l">
        <ProblemAlert error={state.error} />
        <ThreatLists />
        <NetworkFiles state={state.data ?? null} isLoading={state.isPending} />
      </SpaceBetween>
    </Page>
  );
}

type NetworkFile = EnrichmentState['files'][number];

function NetworkFiles({ state, isLoading }: { readonly state: EnrichmentState | null; readonly isLoading: boolean }) {
  return (
    <SpaceBetween size="s">
      {(state?.problems ?? []).map(({ file, message }) => (
        <Alert key={file} type="warning" header={file}>
          {message}
        </Alert>
      ))}
      <Table<NetworkFile>
        variant="container"
        wrapLines
        loading={isLoading}
        loadingText="Loading files"
        items={[...(state?.files ?? [])]}
        trackBy="name"
        ariaLabels={{ tableLabel: 'Files of networks' }}
        header={
          <Header
            variant="h2"
            description="A file of your own (enrichment.network_files) is believed over what ships with Cordon."
          >
            Networks
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'File', isRowHeader: true, cell: (row) => row.name },
          { id: 'gives', header: 'Gives', cell: (row) => row.gives.map((one) => GIVES[one]).join(', ') },
          { id: 'built', header: 'Made on', cell: (row) => <BuiltAt file={row} /> },
          { id: 'entries', header: 'Entries', cell: (row) => row.entries.toLocaleString('en') },
          {
            id: 'by',
            header: 'Data by',
            cell: (row) =>
              row.attributionUrl === null ? (
                'you'
              ) : (
                <Link external href={row.attributionUrl}>
                  {row.attribution} ({row.licence})
                </Link>
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">The worker hasn’t said yet what it reads.</Box>}
      />
    </SpaceBetween>
  );
}

function BuiltAt({ file }: { readonly file: NetworkFile }) {
  const isOld = Date.now() - file.builtAt > OLD_MS;
  return isOld ? <StatusIndicator type="warning">{showDay(file.builtAt)}</StatusIndicator> : showDay(file.builtAt);
}

function ThreatLists() {
  const can = useCan();
  const lists = useQuery(threatListsQuery);
  const [importing, setImporting] = useState(false);
  const [removing, setRemoving] = useState<ThreatList | null>(null);
  const remove = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/threat-lists/{id}', { params: { path: { id } } })),
    done: 'The list is forgotten.',
    changes: [['enrichment'], ['audit']],
    onDone: () => setRemoving(null),
  });
  return (
    <>
      <ProblemAlert error={lists.error} />
      <Table<ThreatList>
        variant="container"
        wrapLines
        loading={lists.isPending}
        loadingText="Loading lists"
        items={lists.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Threat lists' }}
        header={
          <Header
            variant="h2"
            counter={`(${lists.data?.length ?? 0})`}
            description="Held against each event as it comes, and against what came in the last thirty days."
            actions={
              can('detection.write') ? (
                <Button variant="primary" onClick={() => setImporting(true)}>
                  Import a list
                </Button>
              ) : null
            }
          >
            Threat lists
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (row) => <RouteLink href={eventsHref({ q: queryOf(row), window: MONTH_MS })}>{row.name}</RouteLink>,
          },
          {
            id: 'meaning',
            header: 'Names',
            cell: (row) => (row.meaning === 'threat' ? 'threats' : `${row.meaning} networks`),
          },
          { id: 'indicators', header: 'Entries', cell: (row) => row.indicators.toLocaleString('en') },
          { id: 'skipped', header: 'Left out', cell: (row) => row.skipped.toLocaleString('en') },
          { id: 'source', header: 'Source', cell: (row) => row.source },
          { id: 'until', header: 'Until', cell: (row) => <Until at={row.expiresAt} /> },
          { id: 'sweep', header: 'Looked back', cell: (row) => <Sweep list={row} /> },
          {
            id: 'remove',
            header: '',
            cell: (row) =>
              can('detection.write') ? (
                <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoving(row)}>
                  Remove
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No list yet. STIX 2.1, CSV and plain lines can be imported.</Box>}
      />
      {importing ? <ThreatListForm onClose={() => setImporting(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}`}
          text="It is matched no longer. Events and alerts that it marked stay."
          button="Remove"
          command={remove}
          input={removing.id}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </>
  );
}

const queryOf = ({ name, meaning }: ThreatList): string =>
  meaning === 'threat' ? `threat:${name}` : `network:${meaning}`;

function Until({ at }: { readonly at: number }) {
  return at > Date.now() ? showDay(at) : <StatusIndicator type="stopped">Ended {showDay(at)}</StatusIndicator>;
}

function Sweep({ list: { sweep } }: { readonly list: ThreatList }) {
  if (!sweep) return '-';
  if (sweep.doneAt === null) return <StatusIndicator type="in-progress">Looking</StatusIndicator>;
  if (sweep.found === 0) return <StatusIndicator type="success">Nothing found</StatusIndicator>;
  return (
    <StatusIndicator type="warning">
      {sweep.found} events, <Ago at={sweep.doneAt} none="" />
    </StatusIndicator>
  );
}
