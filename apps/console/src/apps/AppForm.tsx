import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { queryClient } from '../api/query-client.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { credentialBody, EMPTY_CREDENTIAL } from './credential-fields.ts';
import { CredentialFields } from './CredentialFields.tsx';
import { DescriptionField } from './DescriptionField.tsx';

const KINDS = [
  { value: 'http', label: 'HTTP API' },
  { value: 'graphql', label: 'GraphQL API', description: 'Fields are the operations.' },
  { value: 'mcp', label: 'MCP server', description: 'Tools are the operations.' },
];

interface AppFormProps {
  readonly onClose: () => void;
  readonly onDone: (app: App) => void;
}

/** Adds an app in one go: where it is, what it can do, and how the gateway signs in there. */
export function AppForm({ onClose, onDone }: AppFormProps) {
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [upstream, setUpstream] = useState('');
  const [kind, setKind] = useState('http');
  const [isPlain, setPlain] = useState(false);
  const [address, setAddress] = useState('');
  const [document, setDocument] = useState('');
  const [credential, setCredential] = useState(EMPTY_CREDENTIAL);
  // What is there already when a later step is refused, so that a second try goes on from there.
  const [made, setMade] = useState<App | null>(null);
  const add = useCommand({
    run: async () => {
      const body = {
        name,
        upstream,
        ...(title === '' ? {} : { title }),
        ...(kind === 'mcp' ? { mcp: {} } : {}),
        ...(kind === 'graphql' ? { graphql: {} } : {}),
        ...(isPlain ? { plaintext: 'allow' as const } : {}),
        ...(address.trim() === '' ? {} : { privateAddresses: address.split(',').map((one) => one.trim()) }),
      };
      const app = made ?? taken(await api.POST('/api/v1/apps', { body }));
      setMade(app);
      const params = { path: { id: app.id } };
      if (document !== '') taken(await api.PUT('/api/v1/apps/{id}/description', { params, body: { document } }));
      if (credential.secret !== '') {
        taken(await api.PUT('/api/v1/apps/{id}/credential', { params, body: credentialBody(credential) }));
      }
      return app;
    },
    done: (app) => `${app.title} is added.`,
    changes: [['apps'], ['map']],
    onDone: (app) => {
      onClose();
      onDone(app);
    },
  });
  const close = (): void => {
    if (made) void queryClient.invalidateQueries({ queryKey: ['apps'] });
    onClose();
  };
  const isLocal = /^https?:\/\/(?:localhost|127\.|10\.|192\.168\.|\[::1\])/.test(upstream);
  return (
    <Modal
      visible
      size="large"
      header="Add an app"
      closeAriaLabel="Close"
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>
              Cancel
            </Button>
            <Button variant="primary" loading={add.isPending} onClick={() => add.mutate()}>
              {made ? 'Try the rest again' : 'Add app'}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={add.error} />
        {made && add.error ? (
          <Alert type="info">{made.title} itself is added; its description or credential is not yet.</Alert>
        ) : null}
        <FormField
          label="Name"
          constraintText="Path prefix at the gateway: a-z, 0-9 and inner dashes."
          errorText={fieldProblem(add.error, 'name')}
        >
          <Input
            value={name}
            placeholder="github"
            disabled={made !== null}
            autoFocus
            onChange={({ detail }) => setName(detail.value)}
          />
        </FormField>
        <FormField label="Speaks" description="What the operations of the app are.">
          <Select
            expandToViewport
            disabled={made !== null}
            selectedOption={KINDS.find(({ value }) => value === kind) ?? null}
            options={KINDS}
            onChange={({ detail }) => setKind(detail.selectedOption.value ?? 'http')}
          />
        </FormField>
        <FormField
          label="Title"
          description="What people read. Empty: the name."
          errorText={fieldProblem(add.error, 'title')}
        >
          <Input
            value={title}
            placeholder="GitHub"
            disabled={made !== null}
            onChange={({ detail }) => setTitle(detail.value)}
          />
        </FormField>
        <FormField
          label="Upstream"
          description="Base URL of its API, without a slash at the end."
          errorText={fieldProblem(add.error, 'upstream')}
        >
          <Input
            value={upstream}
            placeholder="https://api.github.com"
            disabled={made !== null}
            onChange={({ detail }) => setUpstream(detail.value)}
          />
        </FormField>
        {isLocal || isPlain || upstream.startsWith('http://') ? (
          <SpaceBetween size="m">
            <Checkbox checked={isPlain} onChange={({ detail }) => setPlain(detail.checked)}>
              Allow plain HTTP to this app
            </Checkbox>
            <FormField
              label="Private addresses"
              description="The gateway refuses private addresses unless they are named here, separated by commas."
              errorText={fieldProblem(add.error, 'privateAddresses')}
            >
              <Input value={address} placeholder="127.0.0.1" onChange={({ detail }) => setAddress(detail.value)} />
            </FormField>
          </SpaceBetween>
        ) : null}
        <DescriptionField document={document} onChange={setDocument} errorText={fieldProblem(add.error, 'document')} />
        <CredentialFields draft={credential} error={add.error} onChange={setCredential} />
      </SpaceBetween>
    </Modal>
  );
}
