import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { hostsQuery, type News, newsQuery, type Notice, noticesQuery, type WatchedHost } from './insight-queries.ts';
import { NoticeDialog } from './NoticeDialog.tsx';

/** What is seen of a vendor from outside: its hosts, notices of breaches, and what changed. */
export function VendorMonitoring({ vendorId }: { readonly vendorId: string }) {
  return (
    <SpaceBetween size="l">
      <Hosts vendorId={vendorId} />
      <Notices vendorId={vendorId} />
      <NewsList vendorId={vendorId} />
    </SpaceBetween>
  );
}

function HostState({ host: { observation, problems } }: { readonly host: WatchedHost }) {
  if (observation === null) return <StatusIndicator type="pending">Not looked at yet</StatusIndicator>;
  if (problems.length > 0) {
    return (
      <SpaceBetween size="xxs">
        {problems.map(({ code, severity, text }) => (
          <StatusIndicator key={code} type={severity === 'low' || severity === 'medium' ? 'warning' : 'error'}>
            {text}
          </StatusIndicator>
        ))}
      </SpaceBetween>
    );
  }
  if (observation.problem !== null) return <StatusIndicator type="info">{observation.problem}</StatusIndicator>;
  return <StatusIndicator type="success">Nothing found</StatusIndicator>;
}

function versionsOf({ observation }: WatchedHost): string {
  const offered = Object.entries(observation?.versions ?? {}).filter(([, is]) => is === true);
  const names = offered.map(([name]) => name.replace('TLSv', '')).map((name) => (name === '1' ? '1.0' : name));
  return names.join(', ') || '-';
}

/** Who may issue certificates for it; a record of another kind is counted. */
function caaOf({ observation }: WatchedHost): string {
  if (!observation?.caa) return 'not visible';
  const issuers = observation.caa.map((record) => /"issue(?:wild)?":"([^"]*)"/.exec(record)?.[1] ?? 'other');
  return [...new Set(issuers)].join(', ') || 'anybody';
}

function Hosts({ vendorId }: { readonly vendorId: string }) {
  const can = useCan();
  const hosts = useQuery(hostsQuery(vendorId));
  const look = useCommand({
    run: async () => taken(await api.POST('/api/v1/vendors/{id}/hosts/look', { params: { path: { id: vendorId } } })),
    done: ({ hosts: count }) => `${count} hosts are looked at soon.`,
    changes: [['vendors']],
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={hosts.error ?? look.error} />
      <Table<WatchedHost>
        variant="container"
        wrapLines
        loading={hosts.isPending}
        loadingText="Loading hosts"
        items={hosts.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Hosts' }}
        header={
          <Header
            variant="h2"
            description="Of the vendor’s apps and website, looked at twice a day."
            actions={
              can('vendor.write') ? (
                <Button loading={look.isPending} onClick={() => look.mutate(undefined)}>
                  Look now
                </Button>
              ) : null
            }
          >
            Hosts
          </Header>
        }
        columnDefinitions={[
          { id: 'host', header: 'Host', isRowHeader: true, minWidth: 150, cell: (row) => `${row.host}:${row.port}` },
          { id: 'source', header: 'Known from', cell: (row) => row.source },
          { id: 'state', header: 'Found', minWidth: 340, cell: (row) => <HostState host={row} /> },
          { id: 'tls', header: 'TLS', cell: versionsOf },
          {
            id: 'until',
            header: 'Certificate until',
            cell: ({ observation }) => (observation?.certificate ? showDay(observation.certificate.validTo) : '-'),
          },
          {
            id: 'txt',
            header: 'security.txt',
            cell: ({ observation }) => observation?.securityTxt?.state ?? 'not visible',
          },
          { id: 'caa', header: 'May issue (CAA)', cell: caaOf },
          { id: 'at', header: 'Looked', cell: (row) => (row.checkedAt === null ? '-' : showDay(row.checkedAt)) },
        ]}
        empty={<Box color="text-body-secondary">No host is known: the vendor has no app and no website.</Box>}
      />
    </SpaceBetween>
  );
}

function Notices({ vendorId }: { readonly vendorId: string }) {
  const can = useCan();
  const notices = useQuery(noticesQuery(vendorId));
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <Table<Notice>
        variant="container"
        wrapLines
        loading={notices.isPending}
        loadingText="Loading notices"
        items={notices.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Notices' }}
        header={
          <Header
            variant="h2"
            actions={can('vendor.write') ? <Button onClick={() => setAdding(true)}>Add a notice</Button> : null}
          >
            Notices of breaches
          </Header>
        }
        columnDefinitions={[
          { id: 'title', header: 'Notice', isRowHeader: true, minWidth: 200, cell: (row) => row.title },
          { id: 'severity', header: 'Severity', cell: (row) => row.severity },
          { id: 'at', header: 'When', cell: (row) => showDay(row.occurredAt ?? row.at) },
          {
            id: 'case',
            header: 'Case',
            cell: (row) =>
              row.caseId === null ? '-' : <RouteLink href={`/cases/${row.caseId}`}>What it reaches here</RouteLink>,
          },
        ]}
        empty={<Box color="text-body-secondary">None, from no feed and by nobody.</Box>}
      />
      {isAdding ? <NoticeDialog vendorId={vendorId} onClose={() => setAdding(false)} /> : null}
    </>
  );
}

function NewsList({ vendorId }: { readonly vendorId: string }) {
  const news = useQuery(newsQuery(vendorId));
  return (
    <Table<News>
      variant="container"
      wrapLines
      loading={news.isPending}
      loadingText="Loading news"
      items={(news.data ?? []).slice(0, 50)}
      trackBy="id"
      ariaLabels={{ tableLabel: 'News' }}
      header={
        <Header
          variant="h2"
          description="Mailed to the owner when the entry holds an address and it is more than a remark."
        >
          News
        </Header>
      }
      columnDefinitions={[
        { id: 'at', header: 'Day', cell: (row) => showDay(row.at) },
        { id: 'title', header: 'What', isRowHeader: true, minWidth: 240, cell: (row) => row.title },
        { id: 'severity', header: 'Severity', cell: (row) => row.severity },
      ]}
      empty={<Box color="text-body-secondary">Nothing yet.</Box>}
    />
  );
}
