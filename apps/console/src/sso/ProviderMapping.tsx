import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignOnProvider } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { draftOf, type MappingDraft, settingsOf } from './mapping-draft.ts';

/** Who its people become here. */
export function ProviderMapping({ provider }: { readonly provider: SignOnProvider }) {
  const can = useCan();
  const [draft, setDraft] = useState(() => draftOf(provider));
  const set = (change: Partial<MappingDraft>): void => setDraft({ ...draft, ...change });
  const save = useCommand({
    run: async () =>
      taken(
        await api.PUT('/api/v1/sign-on/providers/{id}', {
          params: { path: { id: provider.id } },
          body: { name: provider.name, settings: settingsOf(provider, draft) as never }, // the server's schema checks it
        }),
      ),
    done: 'The mapping is saved.',
    changes: [['sign-on-providers']],
  });
  const text = (
    name: 'emailFrom' | 'nameFrom' | 'groupsFrom' | 'mfaValues' | 'passkeyValues',
    label: string,
    description: string,
  ) => (
    <FormField label={label} description={description}>
      <Input
        value={draft[name]}
        disabled={!can('sso.write')}
        onChange={({ detail }) => set({ [name]: detail.value })}
      />
    </FormField>
  );
  const isOidc = provider.settings.protocol === 'oidc';
  const word = isOidc ? 'claims' : 'attributes';
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            can('sso.write') ? (
              <Button loading={save.isPending} onClick={() => save.mutate()}>
                Save the mapping
              </Button>
            ) : null
          }
        >
          Who its people become
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={save.error} />
        <FormField
          label="Roles by group"
          description="One a line: group at the provider = roles here. Nobody becomes an owner this way."
        >
          <Textarea
            value={draft.rules}
            rows={3}
            placeholder="engineering = developer"
            disabled={!can('sso.write')}
            onChange={({ detail }) => set({ rules: detail.value })}
          />
        </FormField>
        <ColumnLayout columns={2}>
          {text(
            'emailFrom',
            'E-mail address from',
            `Names of ${word}, the first that is there counts; the usual ones when empty.`,
          )}
          {text('nameFrom', 'Name from', 'As above.')}
          {text('groupsFrom', 'Groups from', 'As above.')}
          {text(
            'mfaValues',
            'Counts as a second factor',
            isOidc ? 'Values of acr or amr.' : 'Authentication context classes.',
          )}
          {text('passkeyValues', 'Counts as a passkey', 'Values that stand for what can’t be phished.')}
        </ColumnLayout>
        <Checkbox checked={draft.createPeople} onChange={({ detail }) => set({ createPeople: detail.checked })}>
          Make people at their first sign-in
        </Checkbox>
        <Checkbox checked={draft.required} onChange={({ detail }) => set({ required: detail.checked })}>
          People of its domains must come from there (owners excepted)
        </Checkbox>
        {isOidc ? (
          <Checkbox checked={draft.trustEmail} onChange={({ detail }) => set({ trustEmail: detail.checked })}>
            Trust e-mail addresses without email_verified, within the verified domains
          </Checkbox>
        ) : (
          <Checkbox
            checked={draft.allowUnsolicited}
            onChange={({ detail }) => set({ allowUnsolicited: detail.checked })}
          >
            Take sign-ins that begin at the provider
          </Checkbox>
        )}
      </SpaceBetween>
    </Container>
  );
}
