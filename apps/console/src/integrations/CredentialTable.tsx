import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { credentialsQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Credential, Integration } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { CertificateTable } from './CertificateTable.tsx';
import { CredentialForm } from './CredentialForm.tsx';

const METHOD_TEXT: Readonly<Record<string, string>> = {
  client_secret_basic: 'Client secret',
  private_key_jwt: 'Private key (JWT)',
  tls_client_auth: 'Certificate of an authority',
  self_signed_tls_client_auth: 'Certificate of its own',
  federated: 'Assertion of its platform',
};

/** With what an integration proves who it is when it asks for a token. */
export function CredentialTable({ integration }: { readonly integration: Integration }) {
  const { id } = integration;
  const can = useCan();
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Credential | null>(null);
  const credentials = useQuery(credentialsQuery(id));
  const remove = useCommand({
    run: async ({ clientId }: Credential) =>
      taken(
        await api.DELETE('/api/v1/integrations/{id}/credentials/{clientId}', { params: { path: { id, clientId } } }),
      ),
    done: 'The credential is removed; its tokens are refused.',
    changes: [['credentials', id], ['audit']],
    onDone: () => setRemoved(null),
  });
  const mayChange = can('integration.credential');
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={credentials.error} />
      <Table<Credential>
        variant="container"
        loading={credentials.isPending}
        loadingText="Loading credentials"
        items={credentials.data ?? []}
        trackBy="clientId"
        ariaLabels={{ tableLabel: 'Credentials' }}
        header={
          <Header
            variant="h2"
            description="Several at once let you replace one without a gap."
            actions={
              mayChange ? (
                <Button variant="primary" disabled={integration.status === 'revoked'} onClick={() => setAdding(true)}>
                  Add credential
                </Button>
              ) : null
            }
          >
            Credentials
          </Header>
        }
        columnDefinitions={[
          { id: 'client', header: 'Client id', isRowHeader: true, cell: (row) => row.clientId },
          { id: 'method', header: 'Proves itself by', cell: (row) => METHOD_TEXT[row.method] ?? row.method },
          { id: 'told', header: 'Learns of approvals', cell: (row) => row.deliveryMode },
          { id: 'status', header: 'Status', cell: (row) => row.status },
          { id: 'created', header: 'Added', cell: (row) => <Ago at={row.createdAt} /> },
          { id: 'token', header: 'Last token', cell: (row) => <Ago at={row.lastTokenAt} none="never" /> },
          ...(mayChange
            ? [
                {
                  id: 'remove',
                  header: 'Action',
                  cell: (row: Credential) => (
                    <Button
                      variant="inline-link"
                      ariaLabel={`Remove credential ${row.clientId}`}
                      onClick={() => setRemoved(row)}
                    >
                      Remove
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            None yet. Without a credential it can get no token and make no call.
          </Box>
        }
      />
      <CertificateTable integration={integration} />
      {isAdding ? <CredentialForm integration={integration} onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title="Remove this credential?"
          text={`Whoever uses ${removed.clientId} gets no more tokens, and those it holds are refused.`}
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}
