import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { vendorScoresQuery } from './insight-queries.ts';
import { StageBadge } from './StageBadge.tsx';
import { VendorFeeds } from './VendorFeeds.tsx';
import { VendorImport } from './VendorImport.tsx';
import { SeverityPolicy } from '../assurance/SeverityPolicy.tsx';
import { CompromisedClients } from './CompromisedClients.tsx';
import { FourthPartyGraph } from './FourthPartyGraph.tsx';
import { type FourthParty, fourthPartiesQuery, type Vendor, vendorsQuery } from './vendor-queries.ts';

const TIERS = ['critical', 'high', 'medium', 'low', 'unrated'] as const;

export function VendorsPage() {
  const can = useCan();
  const vendors = useQuery(vendorsQuery);
  const scores = useQuery(vendorScoresQuery);
  const scoreOf = new Map(scores.data?.map((one) => [one.vendorId, one]));
  const [isAdding, setAdding] = useState(false);
  const [isImporting, setImporting] = useState(false);
  const adopt = useCommand({
    run: async () => taken(await api.POST('/api/v1/vendors/adopt')),
    done: ({ created, linked }) => `${created} vendors added, ${linked} apps linked to known ones.`,
    changes: [['vendors']],
  });
  return (
    <Page title="Vendors" description="Who is behind the apps: assessed on evidence, and cut off as one.">
      <SpaceBetween size="l">
        <ProblemAlert error={vendors.error ?? adopt.error} />
        <Table<Vendor>
          variant="container"
          wrapLines
          loading={vendors.isPending}
          loadingText="Loading vendors"
          items={vendors.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Vendors' }}
          header={
            <Header
              variant="h2"
              counter={`(${vendors.data?.length ?? 0})`}
              actions={
                can('vendor.write') ? (
                  <SpaceBetween direction="horizontal" size="xs">
                    <Button loading={adopt.isPending} onClick={() => adopt.mutate(undefined)}>
                      Add from apps
                    </Button>
                    <Button onClick={() => setImporting(true)}>Import a list</Button>
                    <Button variant="primary" onClick={() => setAdding(true)}>
                      Add vendor
                    </Button>
                  </SpaceBetween>
                ) : null
              }
            >
              Vendors
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Name',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/vendors/${row.id}`}>{row.name}</RouteLink>,
            },
            { id: 'stage', header: 'Stage', cell: (row) => <StageBadge stage={row.stage} /> },
            { id: 'tier', header: 'Tier', cell: (row) => row.profile.tier },
            {
              id: 'score',
              header: 'Score',
              cell: (row) => {
                const score = scoreOf.get(row.id);
                return score ? `${score.residual} (inherent ${score.inherent})` : '-';
              },
            },
            { id: 'owner', header: 'Owner', cell: (row) => row.profile.owner || '-' },
            { id: 'apps', header: 'Apps', cell: (row) => row.appIds.length },
          ]}
          empty={<Box color="text-body-secondary">No vendor yet. Add them from the apps that are connected.</Box>}
        />
        <FourthParties />
        <VendorFeeds />
        <CompromisedClients />
        <SeverityPolicy />
      </SpaceBetween>
      {isImporting ? <VendorImport onClose={() => setImporting(false)} /> : null}
      {isAdding ? <VendorForm onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function FourthParties() {
  const parties = useQuery(fourthPartiesQuery);
  return (
    <SpaceBetween size="s">
      <Table<FourthParty>
        variant="container"
        wrapLines
        loading={parties.isPending}
        loadingText="Loading fourth parties"
        items={(parties.data ?? []).slice(0, 50)}
        trackBy="key"
        ariaLabels={{ tableLabel: 'Fourth parties' }}
        header={
          <Header variant="h2" description="Who the vendors rest on, most depended upon first.">
            Fourth parties
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Company', isRowHeader: true, cell: (row) => row.name },
          { id: 'where', header: 'Where', cell: (row) => row.countries.join(', ') || '-' },
          { id: 'share', header: 'Share of vendors', cell: (row) => `${Math.round(row.concentration * 100)} %` },
          {
            id: 'vendors',
            header: 'Vendors',
            cell: (row) => row.vendors.map(({ name }) => name).join(', '),
          },
        ]}
        empty={<Box color="text-body-secondary">No list of subprocessors yet. Upload one on a vendor’s page.</Box>}
      />
      <FourthPartyGraph parties={parties.data ?? []} />
    </SpaceBetween>
  );
}

function VendorForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [tier, setTier] = useState<(typeof TIERS)[number]>('unrated');
  const [owner, setOwner] = useState('');
  const add = useCommand({
    run: async () => taken(await api.POST('/api/v1/vendors', { body: { name, tier, owner } as never })), // the rest has defaults
    done: `${name} is added.`,
    changes: [['vendors']],
    onDone: onClose,
  });
  const options = TIERS.map((value) => ({ value, label: value }));
  return (
    <FormDialog
      title="Add a vendor"
      button="Add"
      isReady={name.trim() !== ''}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Owner" description="Who answers for this vendor.">
        <Input value={owner} onChange={({ detail }) => setOwner(detail.value)} />
      </FormField>
      <FormField label="Tier">
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === tier) ?? null}
          onChange={({ detail }) => setTier(TIERS.find((one) => one === detail.selectedOption.value) ?? 'unrated')}
        />
      </FormField>
    </FormDialog>
  );
}
