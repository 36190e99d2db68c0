import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SsoApp } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { SsoAppForm } from './SsoAppForm.tsx';

function accessText({ access }: SsoApp): string {
  const { everyone, roles, groups } = access;
  if (everyone) return 'Everyone';
  const parts = [...roles, ...(groups.length === 0 ? [] : [`${groups.length} groups`])];
  return parts.length === 0 ? 'Nobody' : parts.join(', ');
}

/** Tools that people sign in to through Cordon, and what those tools must be told. */
export function SsoAppsPage() {
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<SsoApp | null>(null);
  const apps = useQuery({
    queryKey: ['sso-apps'],
    queryFn: async () => taken(await api.GET('/api/v1/sso/apps')).items,
  });
  const remove = useCommand({
    run: async ({ id }: SsoApp) => taken(await api.DELETE('/api/v1/sso/apps/{id}', { params: { path: { id } } })),
    done: (_nothing, { name }) => `${name} was removed.`,
    changes: [['sso-apps'], ['my-apps']],
    onDone: () => setRemoving(null),
  });
  return (
    <Page
      title="Sign-on apps"
      description="Tools that people sign in to through Cordon, by OpenID Connect or SAML."
      actions={
        can('sso.write') ? (
          <Button variant="primary" onClick={() => setAdding(true)}>
            Add an app
          </Button>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={apps.error} onRetry={() => void apps.refetch()} />
        <Table<SsoApp>
          variant="container"
          loading={apps.isPending}
          loadingText="Loading apps"
          items={apps.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Sign-on apps' }}
          header={<Header variant="h2">Apps</Header>}
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (app) => app.name },
            {
              id: 'protocol',
              header: 'Protocol',
              cell: (app) => (app.settings.protocol === 'saml' ? 'SAML 2.0' : 'OpenID Connect'),
            },
            { id: 'id', header: 'Client id', cell: (app) => <Box variant="code">{app.id}</Box> },
            { id: 'access', header: 'Who may use it', cell: accessText },
            {
              id: 'status',
              header: 'Status',
              cell: (app) => (
                <StatusIndicator type={app.status === 'active' ? 'success' : 'stopped'}>{app.status}</StatusIndicator>
              ),
            },
            ...(can('sso.write')
              ? [
                  {
                    id: 'remove',
                    header: 'Action',
                    cell: (app: SsoApp) => (
                      <Button variant="inline-link" ariaLabel={`Remove ${app.name}`} onClick={() => setRemoving(app)}>
                        Remove
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              No tool signs people in through Cordon yet.
            </Box>
          }
        />
        <Addresses />
      </SpaceBetween>
      {adding ? <SsoAppForm onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}?`}
          text="Nobody can sign in to it through Cordon any more, and its open sign-ons lose their tokens."
          button="Remove"
          command={remove}
          input={removing}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </Page>
  );
}

function Addresses() {
  const found = useQuery({
    queryKey: ['sso-addresses'],
    queryFn: async () => taken(await api.GET('/api/v1/sso/addresses')),
  });
  if (!found.data) return <ProblemAlert error={found.error} onRetry={() => void found.refetch()} />;
  const { oidcIssuer, samlMetadataUrl, samlEntityId, samlSsoUrl, samlSloUrl } = found.data;
  return (
    <Container header={<Header variant="h2">What to enter at a tool</Header>}>
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'OpenID Connect issuer', value: oidcIssuer },
          { label: 'SAML metadata', value: samlMetadataUrl },
          { label: 'SAML entity id', value: samlEntityId },
          { label: 'SAML sign-on address', value: samlSsoUrl },
          { label: 'SAML sign-out address', value: samlSloUrl },
        ]}
      />
    </Container>
  );
}
