import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { SignInPolicySet } from '../api/wire.ts';
import { readCidrs } from './policy-draft.ts';

type Network = SignInPolicySet['networks'][number];

/** Named networks that policies speak of. */
export function NetworksTable({
  networks,
  onChange,
}: {
  readonly networks: readonly Network[];
  readonly onChange: (networks: Network[]) => void;
}) {
  const [name, setName] = useState('');
  const [cidrs, setCidrs] = useState('');
  const isReady = /^[\w-]{1,60}$/.test(name) && readCidrs(cidrs).length > 0;
  return (
    <Table<Network>
      variant="container"
      wrapLines
      items={networks}
      trackBy="name"
      ariaLabels={{ tableLabel: 'Networks' }}
      header={
        <Header variant="h2" description={'A policy says context.networks.contains("office").'}>
          Networks
        </Header>
      }
      columnDefinitions={[
        { id: 'name', header: 'Name', isRowHeader: true, cell: (one) => one.name },
        { id: 'cidrs', header: 'Addresses', cell: (one) => one.cidrs.join(', ') },
        {
          id: 'action',
          header: 'Action',
          cell: (one) => (
            <Button
              variant="inline-link"
              ariaLabel={`Take out ${one.name}`}
              onClick={() => onChange(networks.filter((other) => other !== one))}
            >
              Take out
            </Button>
          ),
        },
      ]}
      empty={<Box color="text-body-secondary">None.</Box>}
      footer={
        <SpaceBetween direction="horizontal" size="xs" alignItems="end">
          <FormField label="Network name">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} placeholder="office" />
          </FormField>
          <FormField label="Its addresses">
            <Input value={cidrs} onChange={({ detail }) => setCidrs(detail.value)} placeholder="198.51.100.0/24" />
          </FormField>
          <Button
            disabled={!isReady}
            onClick={() => {
              onChange([...networks.filter((one) => one.name !== name), { name, cidrs: readCidrs(cidrs) }]);
              setName('');
              setCidrs('');
            }}
          >
            Add network
          </Button>
        </SpaceBetween>
      }
    />
  );
}
