import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignInPolicySet, SignInPolicyVersion } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** Every version; an earlier one can be taken as the draft. */
export function SignInHistory({
  current,
  onTake,
}: {
  readonly current: number;
  readonly onTake: (set: SignInPolicySet) => void;
}) {
  const history = useQuery({
    queryKey: ['sign-in-policy', 'history'],
    queryFn: async () => taken(await api.GET('/api/v1/sign-in-policy/history')).items,
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={history.error} />
      <Table<SignInPolicyVersion>
        variant="container"
        wrapLines
        items={history.data ?? []}
        loading={history.isPending}
        loadingText="Loading versions"
        trackBy={(one) => String(one.version)}
        ariaLabels={{ tableLabel: 'Versions' }}
        header={<Header variant="h2">Versions</Header>}
        columnDefinitions={[
          {
            id: 'version',
            header: 'Version',
            isRowHeader: true,
            cell: ({ version }) => `${version}${version === current ? ' (in force)' : ''}`,
          },
          { id: 'at', header: 'Since', cell: (one) => <Ago at={one.madeAt} /> },
          { id: 'by', header: 'By', cell: (one) => one.madeBy },
          { id: 'note', header: 'Why', cell: (one) => one.note || '-' },
          {
            id: 'policies',
            header: 'Policies',
            cell: ({ set }) =>
              set.policies.map(({ name, mode }) => `${name} (${mode})`).join(', ') || 'the built-in one',
          },
          {
            id: 'action',
            header: 'Action',
            cell: (one) =>
              one.version === current ? (
                '-'
              ) : (
                <Button
                  variant="inline-link"
                  ariaLabel={`Take version ${one.version} as the draft`}
                  onClick={() => onTake(one.set)}
                >
                  Take as draft
                </Button>
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">None.</Box>}
      />
    </SpaceBetween>
  );
}
