import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { UploadButton, type UploadedFile } from './UploadButton.tsx';
import { type Contract, type VendorDetail, vendorContractsQuery } from './vendor-queries.ts';

export function VendorContracts({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const go = useGo();
  const contracts = useQuery(vendorContractsQuery(vendor.id));
  const add = useCommand({
    run: async (body: UploadedFile) =>
      taken(await api.POST('/api/v1/vendors/{id}/contracts', { params: { path: { id: vendor.id } }, body })),
    done: 'The contract is checked.',
    changes: [['vendors']],
    onDone: ({ id }) => go(`/contracts/${id}`),
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={contracts.error ?? add.error} />
      <Table<Contract>
        variant="container"
        wrapLines
        loading={contracts.isPending}
        loadingText="Loading contracts"
        items={contracts.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Contracts' }}
        header={
          <Header
            variant="h2"
            actions={
              can('vendor.write') ? (
                <UploadButton
                  label="Check a contract"
                  accept=".pdf,.docx,.txt,.md"
                  onFile={(file) => add.mutate(file)}
                />
              ) : null
            }
          >
            Contracts
          </Header>
        }
        columnDefinitions={[
          {
            id: 'title',
            header: 'File',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/contracts/${row.id}`}>{row.title}</RouteLink>,
          },
          { id: 'findings', header: 'Findings', cell: (row) => row.check.findings.length },
          {
            id: 'breach',
            header: 'Breach notice',
            cell: (row) => row.check.clocks.find(({ clause }) => clause === 'breach-notice')?.text ?? 'none',
          },
          { id: 'made', header: 'Checked', cell: (row) => showDay(row.createdAt) },
        ]}
        empty={<Box color="text-body-secondary">No contract yet: a PDF, Word document or text.</Box>}
      />
    </SpaceBetween>
  );
}
