import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { ServiceAccount } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showDay } from '../display/time.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { Expiry } from './IntegrationFacts.tsx';

type Problem = ServiceAccount['problems'][number];
const PROBLEMS: Readonly<Record<Problem, readonly [StatusIndicatorProps.Type, string]>> = {
  'owner-left': ['error', 'Its owner left'],
  'weak-proof': ['error', 'Proof too weak: calls are refused'],
  expired: ['error', 'Ended'],
  'expires-soon': ['warning', 'Ends within 30 days'],
  'no-backup-owner': ['warning', 'No backup owner'],
  'never-expires': ['warning', 'Never ends'],
  unused: ['info', 'Not used for 90 days'],
  'no-credential': ['info', 'No credential'],
};
const CLASS: Readonly<Record<'m0' | 'm1' | 'm2', string>> = {
  m0: 'shared secret',
  m1: 'one key',
  m2: 'two keys',
};

/** Who answers for each integration, how long it lives, when it was used, and how strongly it shows who it is. */
export function ServiceAccountsPage() {
  const found = useQuery({
    queryKey: ['service-accounts'],
    queryFn: async () => taken(await api.GET('/api/v1/service-accounts')).items,
  });
  const rows = found.data ?? [];
  const gaps = rows.filter(({ isGap }) => isGap).length;
  return (
    <Page
      title="Service accounts"
      description="Who answers for each integration, how long it lives, and whether its proof is as strong as asked."
    >
      <ProblemAlert error={found.error} />
      <Table<ServiceAccount>
        variant="container"
        wrapLines
        loading={found.isPending}
        loadingText="Loading service accounts"
        items={rows}
        trackBy={(row) => row.integration.id}
        ariaLabels={{ tableLabel: 'Service accounts' }}
        header={
          <Header counter={`(${rows.length})`} description={`${gaps} with a proof that is too weak`}>
            Service accounts
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Integration',
            isRowHeader: true,
            cell: ({ integration }) => (
              <RouteLink href={`/integrations/${integration.id}`}>{integration.name}</RouteLink>
            ),
          },
          { id: 'purpose', header: 'Purpose', minWidth: 160, cell: ({ integration }) => integration.purpose },
          {
            id: 'owner',
            header: 'Owner, backup',
            minWidth: 160,
            cell: ({ integration: { owner, backupOwner, orphanedUntil } }) =>
              orphanedUntil === null
                ? `${owner.name}, ${backupOwner?.name ?? 'nobody'}`
                : `${owner.name} left; suspended on ${showDay(orphanedUntil)}`,
          },
          { id: 'ends', header: 'Ends', cell: ({ integration }) => <Expiry expiresAt={integration.expiresAt} /> },
          { id: 'used', header: 'Last used', cell: (row) => <Ago at={row.lastUsedAt} none="never" /> },
          { id: 'shown', header: 'Proof shown', cell: ({ shown }) => (shown === null ? '-' : CLASS[shown]) },
          {
            id: 'required',
            header: 'Proof required',
            minWidth: 160,
            cell: ({ required, requiredBy }) =>
              requiredBy.length === 0 ? CLASS[required] : `${CLASS[required]}, by ${requiredBy.join(', ')}`,
          },
          {
            id: 'problems',
            header: 'To look at',
            minWidth: 260,
            cell: ({ problems }) =>
              problems.length === 0 ? (
                <StatusIndicator type="success">In order</StatusIndicator>
              ) : (
                <SpaceBetween size="xxxs">
                  {problems.map((one) => (
                    <StatusIndicator key={one} type={PROBLEMS[one][0]}>
                      {PROBLEMS[one][1]}
                    </StatusIndicator>
                  ))}
                </SpaceBetween>
              ),
          },
        ]}
        empty="No integration is registered."
      />
    </Page>
  );
}
