import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Modal from '@cloudscape-design/components/modal';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Factors } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { addPasskey, canUsePasskeys } from './passkey.ts';
import { OwnProviders } from './OwnProviders.tsx';
import { OwnSessions } from './OwnSessions.tsx';
import { RecoveryCodes } from './RecoveryCodes.tsx';
import { useSession } from './session-query.ts';

type Passkey = Factors['passkeys'][number];

/** How the person signs in, and what they may do. */
export function AccountPage() {
  const session = useSession();
  const factors = useQuery({
    queryKey: ['factors'],
    queryFn: async () => taken(await api.GET('/api/v1/auth/factors')),
  });
  return (
    <Page title="Your account">
      <SpaceBetween size="l">
        <Container>
          <KeyValuePairs
            columns={2}
            items={[
              { label: 'Name', value: session?.actor?.name ?? '' },
              { label: 'Roles', value: (session?.actor?.roles ?? []).join(', ') },
            ]}
          />
        </Container>
        <QueryState query={factors}>{(data) => <FactorList factors={data} />}</QueryState>
        <OwnProviders />
        <OwnSessions />
      </SpaceBetween>
    </Page>
  );
}

function FactorList({ factors }: { readonly factors: Factors }) {
  const [isAdding, setAdding] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/auth/passkey/{id}', { params: { path: { id } } })),
    done: 'The passkey is removed.',
    changes: [['factors']],
  });
  const renew = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/recovery-codes')),
    changes: [['factors']],
    onDone: ({ recoveryCodes }) => setCodes(recoveryCodes),
  });
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={remove.error ?? renew.error} />
      <Table<Passkey>
        variant="container"
        items={factors.passkeys}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Passkeys' }}
        header={
          <Header
            variant="h2"
            description="Two on different devices keep you from being locked out."
            actions={
              <Button disabled={!canUsePasskeys()} onClick={() => setAdding(true)}>
                Add passkey
              </Button>
            }
          >
            Passkeys
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'backed', header: 'Synchronised', cell: (row) => (row.backedUp ? 'yes' : 'no') },
          { id: 'created', header: 'Added', cell: (row) => <Ago at={row.createdAt} /> },
          { id: 'used', header: 'Last used', cell: (row) => <Ago at={row.lastUsedAt} none="never" /> },
          {
            id: 'remove',
            header: 'Action',
            cell: (row) => (
              <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => remove.mutate(row.id)}>
                Remove
              </Button>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">None yet.</Box>}
      />
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <Button loading={renew.isPending} onClick={() => renew.mutate()}>
                Make new codes
              </Button>
            }
          >
            Other ways in
          </Header>
        }
      >
        <KeyValuePairs
          columns={2}
          items={[
            {
              label: 'Password and authenticator app',
              value: factors.password && factors.totp ? 'Set up' : 'Not set up',
            },
            { label: 'Recovery codes left', value: factors.recoveryCodesLeft },
          ]}
        />
      </Container>
      {isAdding ? <PasskeyForm onClose={() => setAdding(false)} /> : null}
      {codes ? (
        <Modal visible header="Your new recovery codes" closeAriaLabel="Close" onDismiss={() => setCodes(null)}>
          <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />
        </Modal>
      ) : null}
    </SpaceBetween>
  );
}

function PasskeyForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const add = useCommand({
    run: async () => addPasskey(name),
    done: 'The passkey is added.',
    changes: [['factors']],
    onDone: onClose,
  });
  return (
    <FormDialog title="Add a passkey" button="Create" isReady={name !== ''} command={add} onClose={onClose}>
      <FormField label="Name" description="Where it is kept, such as Phone or Security key.">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
