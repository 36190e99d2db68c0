import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignOnProvider } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { ProviderForm } from './ProviderForm.tsx';
import { ProviderState } from './ProviderState.tsx';

/** Corporate providers that people come from. */
export function ProvidersPage() {
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const providers = useQuery({
    queryKey: ['sign-on-providers'],
    queryFn: async () => taken(await api.GET('/api/v1/sign-on/providers')).items,
  });
  return (
    <Page
      title="Sign-on providers"
      description="Where people of your company come from. Owners keep a factor of their own, whatever is set up here."
      actions={
        can('sso.write') ? (
          <Button variant="primary" onClick={() => setAdding(true)}>
            Add a provider
          </Button>
        ) : null
      }
    >
      <ProblemAlert error={providers.error} onRetry={() => void providers.refetch()} />
      <Table<SignOnProvider>
        variant="container"
        loading={providers.isPending}
        loadingText="Loading providers"
        items={providers.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Sign-on providers' }}
        header={<Header variant="h2">Providers</Header>}
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (one) => <RouteLink href={`/sign-on-providers/${one.id}`}>{one.name}</RouteLink>,
          },
          {
            id: 'protocol',
            header: 'Protocol',
            cell: (one) => (one.settings.protocol === 'saml' ? 'SAML 2.0' : 'OpenID Connect'),
          },
          { id: 'status', header: 'State', cell: (one) => <ProviderState provider={one} /> },
        ]}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            People sign in with a factor of their own. Add your company’s provider, and they come from there.
          </Box>
        }
      />
      {adding ? <ProviderForm onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}
