import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ClientCertificate, Integration } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const SOON_MS = 2 * 86_400_000;

/** Short-lived certificates that the built-in authority issued to an integration. */
export function CertificateTable({ integration }: { readonly integration: Integration }) {
  const { id: integrationId } = integration;
  const can = useCan();
  const now = useNow(10_000);
  const [revoked, setRevoked] = useState<ClientCertificate | null>(null);
  const certificates = useQuery({
    queryKey: ['certificates', integrationId],
    queryFn: async () => taken(await api.GET('/api/v1/certificates', { params: { query: { integrationId } } })).items,
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={certificates.error} />
      <Table<ClientCertificate>
        variant="container"
        loading={certificates.isPending}
        loadingText="Loading certificates"
        items={certificates.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Certificates' }}
        header={
          <Header
            variant="h2"
            description={`Made where the integration runs: cordon integration enroll ${integration.name}`}
          >
            Certificates
          </Header>
        }
        columnDefinitions={[
          { id: 'serial', header: 'Serial number', isRowHeader: true, cell: (row) => row.serial },
          { id: 'state', header: 'State', cell: (row) => <CertificateState certificate={row} now={now} /> },
          { id: 'ends', header: 'Ends', cell: (row) => showTime(row.endsAt) },
          { id: 'issued', header: 'Issued', cell: (row) => <Ago at={row.issuedAt} /> },
          { id: 'by', header: 'By', cell: (row) => row.issuedBy },
          ...(can('integration.revoke')
            ? [
                {
                  id: 'revoke',
                  header: 'Action',
                  cell: (row: ClientCertificate) =>
                    row.status === 'live' ? (
                      <Button
                        variant="inline-link"
                        ariaLabel={`Revoke certificate ${row.serial}`}
                        onClick={() => setRevoked(row)}
                      >
                        Revoke
                      </Button>
                    ) : (
                      '-'
                    ),
                },
              ]
            : []),
        ]}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            None yet.
          </Box>
        }
      />
      {revoked ? <RevokeDialog certificate={revoked} onClose={() => setRevoked(null)} /> : null}
    </SpaceBetween>
  );
}

function CertificateState({ certificate, now }: { readonly certificate: ClientCertificate; readonly now: number }) {
  if (certificate.status === 'revoked') return <StatusIndicator type="error">Revoked</StatusIndicator>;
  if (certificate.status === 'over') return <StatusIndicator type="stopped">Over</StatusIndicator>;
  if (Date.parse(certificate.endsAt) - now < SOON_MS)
    return <StatusIndicator type="warning">Ends soon</StatusIndicator>;
  return <StatusIndicator type="success">Live</StatusIndicator>;
}

function RevokeDialog({
  certificate,
  onClose,
}: {
  readonly certificate: ClientCertificate;
  readonly onClose: () => void;
}) {
  const { id, integrationId } = certificate;
  const [reason, setReason] = useState('');
  const revoke = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/certificates/{id}/revoke', { params: { path: { id } }, body: { reason } })),
    done: 'The certificate is revoked, and the tokens of its client are refused.',
    changes: [['certificates', integrationId], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Revoke this certificate?"
      button="Revoke"
      isReady={reason.trim().length >= 3}
      command={revoke}
      onClose={onClose}
    >
      <FormField label="Reason" description="Kept as evidence, with your name.">
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
