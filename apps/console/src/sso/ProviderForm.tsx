import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';

const EMPTY = { name: '', issuer: '', clientId: '', secret: '', metadata: '' };

/** Adds a provider as a draft; everything else is set on its page. */
export function ProviderForm({ onClose }: { readonly onClose: () => void }) {
  const go = useGo();
  const [protocol, setProtocol] = useState<'oidc' | 'saml'>('oidc');
  const [draft, setDraft] = useState(EMPTY);
  const set = (change: Partial<typeof EMPTY>): void => setDraft({ ...draft, ...change });
  const settingsOf = async () => {
    if (protocol === 'oidc') {
      const auth = draft.secret === '' ? ('none' as const) : ('client_secret_basic' as const);
      return { protocol, issuer: draft.issuer.trim(), clientId: draft.clientId.trim(), auth };
    }
    const given = draft.metadata.trim();
    const body = given.startsWith('<') ? { xml: given } : { url: given };
    const { entityId, ssoUrl, sloUrl, certificates } = taken(await api.POST('/api/v1/sign-on/metadata', { body }));
    return { protocol, entityId, ssoUrl, sloUrl, certificates };
  };
  const add = useCommand({
    run: async () => {
      const secret = protocol === 'oidc' && draft.secret !== '' ? { clientSecret: draft.secret } : {};
      const body = { name: draft.name, settings: await settingsOf(), ...secret };
      return taken(await api.POST('/api/v1/sign-on/providers', { body }));
    },
    done: () => `${draft.name} was added as a draft.`,
    changes: [['sign-on-providers']],
    onDone: ({ id }) => go(`/sign-on-providers/${id}`),
  });
  const isReady =
    draft.name !== '' &&
    (protocol === 'saml' ? draft.metadata.trim() !== '' : draft.issuer !== '' && draft.clientId !== '');
  return (
    <FormDialog title="Add a provider" button="Add" isReady={isReady} command={add} onClose={onClose}>
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
        <FormField label="Name" description="People see it when they sign in.">
          <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
        </FormField>
        {protocol === 'oidc' ? (
          <SpaceBetween size="m">
            <FormField label="Issuer" description="The address below which /.well-known/openid-configuration is found.">
              <Input value={draft.issuer} onChange={({ detail }) => set({ issuer: detail.value })} />
            </FormField>
            <FormField label="Client id">
              <Input value={draft.clientId} onChange={({ detail }) => set({ clientId: detail.value })} />
            </FormField>
            <FormField label="Client secret" description="Sealed at once and never shown again.">
              <Input
                value={draft.secret}
                type="password"
                autoComplete={false}
                onChange={({ detail }) => set({ secret: detail.value })}
              />
            </FormField>
          </SpaceBetween>
        ) : (
          <FormField label="Metadata" description="The provider’s metadata: its https address, or the document itself.">
            <Textarea value={draft.metadata} rows={6} onChange={({ detail }) => set({ metadata: detail.value })} />
          </FormField>
        )}
      </SpaceBetween>
    </FormDialog>
  );
}
