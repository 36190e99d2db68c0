import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { UploadButton, type UploadedFile } from '../vendors/UploadButton.tsx';
import type { VendorDetail } from '../vendors/vendor-queries.ts';
import { type Attestation, attestationKindsQuery, vendorAttestationsQuery } from './assurance-queries.ts';
import { VendorAudits } from './VendorAudits.tsx';

const STANDINGS: Readonly<Record<Attestation['standing'], readonly [StatusIndicatorProps.Type, string]>> = {
  proposed: ['pending', 'To be confirmed'],
  rejected: ['stopped', 'Rejected'],
  not_yet_valid: ['pending', 'Not yet valid'],
  valid: ['success', 'Valid'],
  expired: ['error', 'Expired'],
};

/** Reports and certificates by others, what they leave uncovered, and our own audits. */
export function VendorAttestations({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const go = useGo();
  const list = useQuery(vendorAttestationsQuery(vendor.id));
  const kinds = useQuery(attestationKindsQuery);
  const titles = new Map((kinds.data ?? []).map(({ id, title }) => [id, title]));
  const add = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.POST('/api/v1/vendors/{id}/attestations', { params: { path: { id: vendor.id } }, body })),
    changes: [['vendors']],
    onDone: ({ id }) => go(`/attestations/${id}`),
  });
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={list.error ?? add.error} />
      {(list.data?.warnings ?? []).map(({ attestationId, kind, from, isCovered, text }) => (
        <Alert key={`${attestationId} ${kind} ${from}`} type={isCovered ? 'info' : 'warning'}>
          {text}
        </Alert>
      ))}
      <Table<Attestation>
        variant="container"
        wrapLines
        loading={list.isPending}
        loadingText="Loading attestations"
        items={list.data?.items ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Attestations' }}
        header={
          <Header
            variant="h2"
            actions={
              can('vendor.write') ? (
                <UploadButton
                  label="Upload a report or certificate"
                  accept=".pdf,.docx,.txt,.md,.png,.jpg"
                  onFile={(file) => add.mutate(file)}
                />
              ) : null
            }
          >
            Audits and certifications by others
          </Header>
        }
        columnDefinitions={[
          {
            id: 'kind',
            header: 'What',
            isRowHeader: true,
            cell: (row) => (
              <RouteLink href={`/attestations/${row.id}`}>{titles.get(row.kind) ?? 'Not recognised'}</RouteLink>
            ),
          },
          {
            id: 'standing',
            header: 'State',
            cell: (row) => {
              const [type, text] = STANDINGS[row.standing];
              return <StatusIndicator type={type}>{text}</StatusIndicator>;
            },
          },
          {
            id: 'period',
            header: 'Period',
            cell: ({ facts }) =>
              facts?.periodStart
                ? `${facts.periodStart} to ${facts.periodEnd ?? '?'}`
                : (facts?.asOf ?? facts?.issuedOn ?? '-'),
          },
          { id: 'until', header: 'Counts until', cell: (row) => row.validUntil ?? '-' },
          { id: 'exceptions', header: 'Exceptions', cell: (row) => row.facts?.exceptions.length ?? '-' },
          { id: 'file', header: 'File', cell: (row) => row.title },
        ]}
        empty={<Box color="text-body-secondary">None yet: a SOC 2 report, a certificate, a bridge letter.</Box>}
      />
      <VendorAudits vendor={vendor} />
    </SpaceBetween>
  );
}
