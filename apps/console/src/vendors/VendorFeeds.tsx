import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Feed, feedsQuery } from './insight-queries.ts';

const KINDS = [
  { value: 'notices', label: 'Notices and compromised clients (JSON)' },
  { value: 'csaf', label: 'CSAF 2.0 document' },
  { value: 'csaf_provider', label: 'CSAF 2.0 provider: its metadata or its domain' },
] as const;

const listed = (text: string) => ({ privateAddresses: text.split(',').flatMap((one) => one.trim() || []) });
const trusted = (text: string) => ({ caCertificates: text.trim() === '' ? [] : [text.trim()] });

/** Addresses that are read for notices of vendors and for compromised OAuth clients. */
export function VendorFeeds() {
  const can = useCan();
  const feeds = useQuery(feedsQuery);
  const [isAdding, setAdding] = useState(false);
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/vendor-feeds/{id}', { params: { path: { id } } })),
    changes: [['vendor-feeds']],
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={feeds.error ?? remove.error} />
      <Table<Feed>
        variant="container"
        wrapLines
        loading={feeds.isPending}
        loadingText="Loading feeds"
        items={feeds.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Feeds' }}
        header={
          <Header
            variant="h2"
            description="Read for notices of vendors and compromised OAuth clients."
            actions={can('vendor.write') ? <Button onClick={() => setAdding(true)}>Add feed</Button> : null}
          >
            Feeds
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'url', header: 'Address', cell: (row) => row.url },
          {
            id: 'state',
            header: 'State',
            cell: (row) =>
              row.problem !== null ? (
                <StatusIndicator type="error">{row.problem}</StatusIndicator>
              ) : row.walk !== null ? (
                <WalkState walk={row.walk} />
              ) : (
                <StatusIndicator type={row.polledAt === null ? 'pending' : 'success'}>
                  {row.polledAt === null ? 'Not read yet' : `Read ${showDay(row.polledAt)}`}
                </StatusIndicator>
              ),
          },
          {
            id: 'act',
            header: 'Action',
            cell: (row) =>
              can('vendor.write') ? (
                <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => remove.mutate(row.id)}>
                  Remove
                </Button>
              ) : (
                '-'
              ),
          },
        ]}
        empty={<Box color="text-body-secondary">No feed yet.</Box>}
      />
      {isAdding ? <FeedDialog onClose={() => setAdding(false)} /> : null}
    </SpaceBetween>
  );
}

/** How the last walk through a provider's documents went. */
function WalkState({ walk }: { readonly walk: NonNullable<Feed['walk']> }) {
  const { provider, listed, read, hashed, signed, refused, isMore } = walk;
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={refused.length > 0 ? 'warning' : 'success'}>
        {`${provider}: ${listed} listed, ${read} read last time${isMore ? ', more to come' : ''}`}
      </StatusIndicator>
      {read > 0 ? (
        <Box variant="small">{`${hashed} with a hash that fits; ${signed} signed, which is not verified`}</Box>
      ) : null}
      {refused.map((text) => (
        <Box key={text} variant="small">
          {text}
        </Box>
      ))}
    </SpaceBetween>
  );
}

function FeedDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [kind, setKind] = useState<(typeof KINDS)[number]['value']>('notices');
  const [privateAddresses, setPrivateAddresses] = useState('');
  const [authority, setAuthority] = useState('');
  const add = useCommand({
    run: async () => {
      const body = { name, url, kind, everyMinutes: 60, ...listed(privateAddresses), ...trusted(authority) };
      return taken(await api.POST('/api/v1/vendor-feeds', { body }));
    },
    done: `${name} is read soon.`,
    changes: [['vendor-feeds']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add a feed"
      button="Add"
      isReady={name.trim() !== '' && url.trim() !== ''}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Address" errorText={fieldProblem(add.error, 'url')}>
        <Input value={url} onChange={({ detail }) => setUrl(detail.value)} />
      </FormField>
      <FormField label="Kind">
        <Select
          options={KINDS}
          selectedOption={KINDS.find(({ value }) => value === kind) ?? null}
          onChange={({ detail }) =>
            setKind(KINDS.find(({ value }) => value === detail.selectedOption.value)?.value ?? 'notices')
          }
        />
      </FormField>
      <ExpandableSection headerText="A server of your own">
        <SpaceBetween size="m">
          <FormField
            label="Private addresses"
            description="Exact addresses that the name may resolve to, separated by commas."
            errorText={fieldProblem(add.error, 'privateAddresses')}
          >
            <Input value={privateAddresses} onChange={({ detail }) => setPrivateAddresses(detail.value)} />
          </FormField>
          <FormField
            label="Authority"
            description="A PEM certificate to trust for this address."
            errorText={fieldProblem(add.error, 'caCertificates')}
          >
            <Textarea value={authority} rows={3} onChange={({ detail }) => setAuthority(detail.value)} />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
    </FormDialog>
  );
}
