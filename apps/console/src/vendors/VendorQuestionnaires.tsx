import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { asProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { FormBuilder } from './FormBuilder.tsx';
import { MappingWizard } from './MappingWizard.tsx';
import { UploadButton, type UploadedFile } from './UploadButton.tsx';
import { type QuestionnaireRow, type VendorDetail, vendorQuestionnairesQuery } from './vendor-queries.ts';

/** A vendor's questionnaires, and the ways to a new one. */
export function VendorQuestionnaires({ vendor }: { readonly vendor: VendorDetail }) {
  const can = useCan();
  const go = useGo();
  const list = useQuery(vendorQuestionnairesQuery(vendor.id));
  const [isBuilding, setBuilding] = useState(false);
  const [unmapped, setUnmapped] = useState<UploadedFile | null>(null);
  const params = { path: { id: vendor.id } };
  const onDone = ({ id }: { readonly id: string }): void => go(`/questionnaires/${id}`);
  const mvsp = useCommand({
    run: async () => taken(await api.POST('/api/v1/vendors/{id}/questionnaires', { params, body: { formId: 'mvsp' } })),
    changes: [['vendors']],
    onDone,
  });
  const upload = useCommand({
    run: async (body: UploadedFile) => {
      try {
        return taken(await api.POST('/api/v1/vendors/{id}/questionnaires/workbook', { params, body }));
      } catch (error) {
        if (asProblem(error).problem.code === 'vendors.content_unrecognised') setUnmapped(body);
        throw error;
      }
    },
    changes: [['vendors']],
    onDone,
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={list.error ?? mvsp.error ?? (unmapped ? null : upload.error)} />
      <Table<QuestionnaireRow>
        variant="container"
        wrapLines
        loading={list.isPending}
        loadingText="Loading questionnaires"
        items={list.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Questionnaires' }}
        header={
          <Header
            variant="h2"
            counter={`(${list.data?.length ?? 0})`}
            actions={
              can('vendor.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <UploadButton label="Import a workbook" accept=".xlsx" onFile={(file) => upload.mutate(file)} />
                  <Button onClick={() => setBuilding(true)}>Build one</Button>
                  <Button variant="primary" loading={mvsp.isPending} onClick={() => mvsp.mutate(undefined)}>
                    Start MVSP
                  </Button>
                </SpaceBetween>
              ) : null
            }
          >
            Questionnaires
          </Header>
        }
        columnDefinitions={[
          {
            id: 'title',
            header: 'Title',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/questionnaires/${row.id}`}>{row.title}</RouteLink>,
          },
          { id: 'state', header: 'State', cell: (row) => row.state },
          { id: 'due', header: 'Due', cell: (row) => (row.dueAt === null ? '-' : showDay(row.dueAt)) },
          { id: 'made', header: 'Made', cell: (row) => showDay(row.createdAt) },
        ]}
        empty={<Box color="text-body-secondary">Nothing was asked yet.</Box>}
      />
      {isBuilding ? <FormBuilder vendor={vendor} onClose={() => setBuilding(false)} onDone={onDone} /> : null}
      {unmapped ? (
        <MappingWizard vendor={vendor} file={unmapped} onClose={() => setUnmapped(null)} onDone={onDone} />
      ) : null}
    </SpaceBetween>
  );
}
