import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignOnAttempt } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** What the provider said, as short text. */
function saidText(detail: SignOnAttempt['detail']): string {
  const said = ['email', 'name', 'subject', 'detail', 'outcome'].flatMap((name) => {
    const value = detail[name];
    return typeof value === 'string' && value !== '' ? [`${name}: ${value}`] : [];
  });
  const lists = ['groups', 'methods'].flatMap((name) => {
    const value = detail[name];
    return Array.isArray(value) && value.length > 0 ? [`${name}: ${value.join(', ')}`] : [];
  });
  return [...said, ...lists].join('; ');
}

/** The latest sign-ins, with what to do about those that failed. */
export function ProviderAttempts({ id }: { readonly id: string }) {
  const attempts = useQuery({
    queryKey: ['sign-on-attempts', id],
    queryFn: async () =>
      taken(await api.GET('/api/v1/sign-on/providers/{id}/attempts', { params: { path: { id } } })).items,
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={attempts.error} />
      <Table<SignOnAttempt>
        variant="container"
        wrapLines
        items={attempts.data ?? []}
        loading={attempts.isPending}
        loadingText="Loading sign-ins"
        trackBy="id"
        ariaLabels={{ tableLabel: 'Latest sign-ins' }}
        header={<Header variant="h2">Latest sign-ins</Header>}
        columnDefinitions={[
          { id: 'at', header: 'When', isRowHeader: true, cell: (one) => <Ago at={one.at} /> },
          { id: 'kind', header: 'What', cell: (one) => one.kind },
          {
            id: 'outcome',
            header: 'Outcome',
            cell: (one) =>
              one.reason === null ? (
                <StatusIndicator>went well</StatusIndicator>
              ) : (
                <StatusIndicator type="error">{one.reason}</StatusIndicator>
              ),
          },
          { id: 'advice', header: 'What to do', cell: (one) => one.advice ?? '' },
          {
            id: 'said',
            header: 'What the provider said',
            cell: (one) => <Box fontSize="body-s">{saidText(one.detail)}</Box>,
          },
        ]}
        empty={<Box color="text-body-secondary">None yet.</Box>}
      />
    </SpaceBetween>
  );
}
