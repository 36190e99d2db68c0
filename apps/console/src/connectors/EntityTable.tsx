import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Modal from '@cloudscape-design/components/modal';
import Pagination from '@cloudscape-design/components/pagination';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { entitiesQuery, type EntityRow } from './connector-queries.ts';
import { JsonText } from './ConnectorStates.tsx';

const KINDS = ['account', 'group', 'grant', 'credential', 'setting', 'schema'] as const;
const ALL = { value: '', label: 'Every kind' };

export function EntityTable({ connectionId }: { readonly connectionId: string }) {
  const [kind, setKind] = useState('');
  const [text, setText] = useState('');
  // The cursor of each page that was opened; the first has none.
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [opened, setOpened] = useState<EntityRow | null>(null);
  const after = cursors.at(-1);
  const page = useQuery({
    ...entitiesQuery({
      connectionId,
      ...(kind === '' ? {} : { kind }),
      ...(text === '' ? {} : { text }),
      ...(after === undefined ? {} : { after }),
    }),
    placeholderData: keepPreviousData,
  });
  const next = page.data?.next ?? null;
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={page.error} />
      <Table<EntityRow>
        variant="container"
        wrapLines
        loading={page.isPending}
        loadingText="Loading"
        items={page.data?.items ?? []}
        trackBy={(row) => `${row.stream} ${row.kind} ${row.id}`}
        ariaLabels={{ tableLabel: 'What was read' }}
        header={<Header variant="h2">What was read</Header>}
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <TextFilter
              filteringText={text}
              filteringPlaceholder="Name or id"
              filteringAriaLabel="Name or id"
              onDelayedChange={({ detail }) => {
                setText(detail.filteringText);
                setCursors([]);
              }}
              onChange={({ detail }) => setText(detail.filteringText)}
            />
            <Select
              ariaLabel="Kind"
              selectedOption={kind === '' ? ALL : { value: kind, label: kind }}
              options={[ALL, ...KINDS.map((value) => ({ value, label: value }))]}
              onChange={({ detail }) => {
                setKind(detail.selectedOption.value ?? '');
                setCursors([]);
              }}
            />
          </SpaceBetween>
        }
        pagination={
          <Pagination
            currentPageIndex={cursors.length + 1}
            pagesCount={cursors.length + (next === null ? 1 : 2)}
            openEnd={next !== null}
            onNextPageClick={() => next !== null && setCursors([...cursors, next])}
            onPreviousPageClick={() => setCursors(cursors.slice(0, -1))}
            onChange={({ detail }) => {
              if (detail.currentPageIndex <= cursors.length) setCursors(cursors.slice(0, detail.currentPageIndex - 1));
            }}
          />
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: (row) => (
              <Button variant="inline-link" onClick={() => setOpened(row)}>
                {row.name ?? row.id}
              </Button>
            ),
          },
          { id: 'kind', header: 'Kind', cell: (row) => row.kind },
          { id: 'stream', header: 'Stream', cell: (row) => row.stream },
          { id: 'first', header: 'First seen', cell: (row) => <Ago at={row.firstSeen} none="" /> },
          { id: 'changed', header: 'Changed', cell: (row) => <Ago at={row.changedAt} none="" /> },
        ]}
        empty={<Box color="text-body-secondary">Nothing was read yet, or nothing matches.</Box>}
      />
      {opened ? (
        <Modal
          visible
          size="large"
          header={opened.name ?? opened.id}
          closeAriaLabel="Close"
          onDismiss={() => setOpened(null)}
        >
          <JsonText value={opened.entity} />
        </Modal>
      ) : null}
    </SpaceBetween>
  );
}
