import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const EMPTY = { name: '', address: '', entityId: '', logout: '', certificate: '', everyone: true };

/** The few facts that most tools need; the rest is set through the API or the command line. */
export function SsoAppForm({ onClose }: { readonly onClose: () => void }) {
  const [protocol, setProtocol] = useState<'oidc' | 'saml'>('oidc');
  const [draft, setDraft] = useState(EMPTY);
  const [secret, setSecret] = useState<{ id: string; clientSecret: string } | null>(null);
  const set = (change: Partial<typeof EMPTY>): void => setDraft({ ...draft, ...change });
  const add = useCommand({
    run: async () => {
      const logout = draft.logout === '' ? null : draft.logout;
      const settings =
        protocol === 'oidc'
          ? { protocol, redirectUris: [draft.address], backchannelLogoutUri: logout }
          : {
              protocol,
              entityId: draft.entityId,
              acsUrls: [draft.address],
              sloUrl: logout,
              certificates: draft.certificate.trim() === '' ? [] : [draft.certificate.trim()],
            };
      const body = { name: draft.name, settings, access: { everyone: draft.everyone } };
      return taken(await api.POST('/api/v1/sso/apps', { body }));
    },
    done: () => `${draft.name} was added.`,
    changes: [['sso-apps'], ['my-apps']],
    onDone: ({ app, clientSecret }) => {
      if (clientSecret === null) onClose();
      else setSecret({ id: app.id, clientSecret });
    },
  });
  if (secret) {
    return (
      <Modal
        visible
        header={`${draft.name} was added`}
        closeAriaLabel="Close"
        onDismiss={onClose}
        footer={
          <Box float="right">
            <Button variant="primary" onClick={onClose}>
              Done
            </Button>
          </Box>
        }
      >
        <SpaceBetween size="m">
          <Alert type="warning">The secret is shown once. Enter it at the tool now.</Alert>
          <FormField label="Client id">
            <Input value={secret.id} readOnly />
          </FormField>
          <FormField label="Client secret">
            <Input value={secret.clientSecret} readOnly />
          </FormField>
        </SpaceBetween>
      </Modal>
    );
  }
  const isReady = draft.name !== '' && draft.address !== '' && (protocol === 'oidc' || draft.entityId !== '');
  return (
    <FormDialog title="Add an app" button="Add" isReady={isReady} command={add} onClose={onClose}>
      <SpaceBetween size="m">
        <SegmentedControl
          label="Protocol"
          selectedId={protocol}
          options={[
            { id: 'oidc', text: 'OpenID Connect' },
            { id: 'saml', text: 'SAML 2.0' },
          ]}
          onChange={({ detail }) => setProtocol(detail.selectedId === 'saml' ? 'saml' : 'oidc')}
        />
        <FormField label="Name">
          <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
        </FormField>
        {protocol === 'saml' ? (
          <FormField label="Entity id of the tool">
            <Input value={draft.entityId} onChange={({ detail }) => set({ entityId: detail.value })} />
          </FormField>
        ) : null}
        <FormField label={protocol === 'oidc' ? 'Redirect address' : 'Assertion consumer address'}>
          <Input value={draft.address} onChange={({ detail }) => set({ address: detail.value })} />
        </FormField>
        <FormField label={protocol === 'oidc' ? 'Back-channel logout address' : 'Single logout address'}>
          <Input value={draft.logout} onChange={({ detail }) => set({ logout: detail.value })} />
        </FormField>
        {protocol === 'saml' ? (
          <FormField label="Certificate of the tool" description="PEM. With one, its requests must be signed.">
            <Textarea value={draft.certificate} onChange={({ detail }) => set({ certificate: detail.value })} />
          </FormField>
        ) : null}
        <Checkbox checked={draft.everyone} onChange={({ detail }) => set({ everyone: detail.checked })}>
          Everyone may use it
        </Checkbox>
      </SpaceBetween>
    </FormDialog>
  );
}
