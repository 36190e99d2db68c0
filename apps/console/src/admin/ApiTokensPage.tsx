import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ApiToken, Role } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { useCan, useSession } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RolePicker } from './RolePicker.tsx';

export function ApiTokensPage() {
  const can = useCan();
  const [isEveryone, setEveryone] = useState(false);
  const [isAdding, setAdding] = useState(false);
  const [revoked, setRevoked] = useState<ApiToken | null>(null);
  const [value, setValue] = useState<string | null>(null);
  const tokens = useQuery({
    queryKey: ['api-tokens', isEveryone],
    queryFn: async () =>
      taken(await api.GET('/api/v1/api-tokens', { params: { query: isEveryone ? { everyone: 'true' } : {} } })).tokens,
  });
  const revoke = useCommand({
    run: async ({ id }: ApiToken) => taken(await api.DELETE('/api/v1/api-tokens/{id}', { params: { path: { id } } })),
    done: 'The token is revoked.',
    changes: [['api-tokens'], ['audit']],
    onDone: () => setRevoked(null),
  });
  return (
    <Page
      title="API tokens"
      description="For the command line and for automation. A token acts as you, with fewer roles."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={tokens.error} />
        <Table<ApiToken>
          variant="container"
          wrapLines
          loading={tokens.isPending}
          loadingText="Loading tokens"
          items={tokens.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'API tokens' }}
          header={
            <Header
              counter={`(${tokens.data?.length ?? 0})`}
              actions={
                <SpaceBetween direction="horizontal" size="m" alignItems="center">
                  {can('person.read') ? (
                    <Toggle checked={isEveryone} onChange={({ detail }) => setEveryone(detail.checked)}>
                      Of everyone
                    </Toggle>
                  ) : null}
                  <Button variant="primary" onClick={() => setAdding(true)}>
                    Create token
                  </Button>
                </SpaceBetween>
              }
            >
              API tokens
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            { id: 'roles', header: 'Roles', cell: (row) => row.roles.join(', ') },
            { id: 'created', header: 'Created', cell: (row) => <Ago at={row.createdAt} /> },
            { id: 'used', header: 'Last used', cell: (row) => <Ago at={row.lastUsedAt} none="never" /> },
            { id: 'ends', header: 'Ends', cell: (row) => showDay(row.expiresAt) },
            {
              id: 'revoke',
              header: 'Action',
              cell: (row) => (
                <Button variant="inline-link" ariaLabel={`Revoke ${row.name}`} onClick={() => setRevoked(row)}>
                  Revoke
                </Button>
              ),
            },
          ]}
          empty={<Box color="text-body-secondary">None yet. Create one to use the command line as yourself.</Box>}
        />
      </SpaceBetween>
      {isAdding ? <TokenForm onClose={() => setAdding(false)} onMade={setValue} /> : null}
      {value === null ? null : <TokenValue value={value} onClose={() => setValue(null)} />}
      {revoked ? (
        <Confirm
          title={`Revoke ${revoked.name}?`}
          text="Whoever uses it is refused from now on."
          button="Revoke"
          command={revoke}
          input={revoked}
          onClose={() => setRevoked(null)}
        />
      ) : null}
    </Page>
  );
}

function TokenForm({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (value: string) => void }) {
  const own = useSession()?.actor?.roles ?? [];
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [roles, setRoles] = useState<readonly Role[]>([]);
  const create = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/api-tokens', { body: { name, roles: [...roles], days: Number(days) } })),
    changes: [['api-tokens'], ['audit']],
    onDone: ({ value }) => {
      onClose();
      onMade(value);
    },
  });
  return (
    <FormDialog
      title="Create an API token"
      button="Create"
      isReady={name !== '' && roles.length > 0}
      command={create}
      onClose={onClose}
    >
      <FormField label="Name" description="Where it will be used." errorText={fieldProblem(create.error, 'name')}>
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <RolePicker roles={roles} allowed={own} onChange={setRoles} />
      <FormField label="Days until it ends" errorText={fieldProblem(create.error, 'days')}>
        <Input value={days} inputMode="numeric" onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function TokenValue({ value, onClose }: { readonly value: string; readonly onClose: () => void }) {
  return (
    <Modal
      visible
      size="large"
      header="Your new API token"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            I have kept it
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">Shown this once. Cordon keeps only its hash.</Alert>
        <CopyText text={value} label="Copy the token" />
      </SpaceBetween>
    </Modal>
  );
}
