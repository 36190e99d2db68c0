import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignInRecord } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { deviceText, methodsText } from '../session/device-text.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { Outcome, reasonsText } from './Outcome.tsx';

const FILTERS = [
  { id: 'all', text: 'All' },
  { id: 'refuse', text: 'Refused' },
  { id: 'stronger', text: 'Asked for more' },
] as const;

/** What was decided of each sign-in: by which policy, from which facts. */
export function SignInRecords() {
  const [filter, setFilter] = useState<(typeof FILTERS)[number]['id']>('all');
  const [shown, setShown] = useState<SignInRecord | null>(null);
  const records = useInfiniteQuery({
    queryKey: ['sign-ins', filter],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam }) =>
      taken(
        await api.GET('/api/v1/sign-ins', {
          params: {
            query: {
              ...(filter === 'all' ? {} : { outcome: filter }),
              ...(pageParam === null ? {} : { before: pageParam }),
            },
          },
        }),
      ),
    getNextPageParam: ({ before }) => before,
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={records.error} />
      <Table<SignInRecord>
        variant="container"
        wrapLines
        items={records.data?.pages.flatMap(({ items }) => items) ?? []}
        loading={records.isPending}
        loadingText="Loading sign-ins"
        trackBy="id"
        ariaLabels={{ tableLabel: 'Sign-ins' }}
        header={
          <Header
            variant="h2"
            actions={
              <SegmentedControl
                label="Which sign-ins"
                selectedId={filter}
                options={[...FILTERS]}
                onChange={({ detail }) => setFilter(FILTERS.find(({ id }) => id === detail.selectedId)?.id ?? 'all')}
              />
            }
          >
            Sign-ins
          </Header>
        }
        columnDefinitions={[
          { id: 'at', header: 'When', cell: (one) => <Ago at={one.at} /> },
          { id: 'person', header: 'Person', isRowHeader: true, cell: (one) => one.personName },
          { id: 'service', header: 'To', cell: (one) => one.service.name },
          { id: 'outcome', header: 'Outcome', cell: (one) => <Outcome outcome={one.outcome} /> },
          {
            id: 'why',
            header: 'By',
            cell: (one) => (
              <Button
                variant="inline-link"
                ariaLabel={`Explain the sign-in of ${one.personName}`}
                onClick={() => setShown(one)}
              >
                {one.exempt ? 'break-glass account' : reasonsText(one.reasons)}
              </Button>
            ),
          },
          { id: 'with', header: 'With', cell: (one) => methodsText(one.facts.methods) },
          { id: 'from', header: 'From', cell: (one) => `${one.facts.address} (${one.facts.country})` },
        ]}
        empty={<Box color="text-body-secondary">None.</Box>}
        footer={
          records.hasNextPage ? (
            <Button loading={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>
              Show more
            </Button>
          ) : null
        }
      />
      {shown ? <Explanation record={shown} onClose={() => setShown(null)} /> : null}
    </SpaceBetween>
  );
}

function Explanation({ record, onClose }: { readonly record: SignInRecord; readonly onClose: () => void }) {
  const { facts, reasons } = record;
  const advice = reasons.flatMap((one) => one.advice ?? []);
  return (
    <Modal
      visible
      size="large"
      header={`${record.personName} to ${record.service.name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Outcome', value: <Outcome outcome={record.outcome} /> },
          { label: 'Decided by', value: record.exempt ? 'break-glass account' : reasonsText(reasons) },
          { label: 'Version', value: record.version ?? 'before policies' },
          { label: 'What the person was told', value: advice.join(' ') || '-' },
          { label: 'Watched policies would have', value: record.watched ?? 'done the same' },
          { label: 'Number', value: record.id },
          { label: 'Factor', value: `${methodsText(facts.methods)} (${facts.strength})` },
          { label: 'Shown before', value: `${facts.authAgeS} s` },
          { label: 'Address', value: facts.address || '-' },
          { label: 'Country', value: facts.country },
          { label: 'Browser', value: `${deviceText(facts.agent)}, ${facts.device}` },
          { label: 'Device in order', value: facts.compliance },
          { label: 'Risk', value: `${facts.risk} of 100, ${facts.alerts} open alerts` },
          { label: 'Roles', value: facts.roles.join(', ') || '-' },
          { label: 'Groups', value: facts.groups.map(({ name }) => name).join(', ') || '-' },
          ...(facts.missing.length > 0 ? [{ label: 'Not recorded then', value: facts.missing.join(', ') }] : []),
        ]}
      />
    </Modal>
  );
}
