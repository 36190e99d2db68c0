import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { appsQuery, integrationsQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { MadeWebhook } from './WebhookSecretView.tsx';
import { EMPTY_WEBHOOK, toWebhookInput, type WebhookDraft } from './webhook-draft.ts';
import { schemesQuery } from './webhook-queries.ts';

interface Option {
  readonly value: string;
  readonly label: string;
}

const option = ({ id, title, name }: { id: string; title?: string; name: string }): Option => ({
  value: id,
  label: title ?? name,
});

function Pick(props: {
  readonly label: string;
  readonly options: readonly Option[];
  readonly value: string;
  readonly onPick: (value: string) => void;
}) {
  return (
    <Select
      options={[...props.options]}
      selectedOption={props.options.find(({ value }) => value === props.value) ?? null}
      placeholder="Choose"
      ariaLabel={props.label}
      filteringType={props.options.length > 8 ? 'auto' : 'none'}
      onChange={({ detail }) => props.onPick(detail.selectedOption.value ?? '')}
    />
  );
}

export function WebhookForm({
  appId = '',
  onClose,
  onMade,
}: {
  readonly appId?: string;
  readonly onClose: () => void;
  readonly onMade: (made: MadeWebhook) => void;
}) {
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const schemes = useQuery(schemesQuery);
  const [draft, setDraft] = useState<WebhookDraft>({ ...EMPTY_WEBHOOK, appId });
  const set = (change: Partial<WebhookDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const scheme = schemes.data?.find(({ name }) => name === draft.scheme);
  const create = useCommand({
    run: async () => taken(await api.POST('/api/v1/webhooks', { body: toWebhookInput(draft) })),
    changes: [['webhooks'], ['audit']],
    onDone: ({ endpoint, signingSecret }) => {
      onClose();
      onMade({ address: endpoint.address, signingSecret });
    },
  });
  const { name, integrationId, secret, url } = draft;
  const text = (key: 'name' | 'secret' | 'url' | 'types' | 'privateAddresses', isSecret = false) => (
    <Input
      value={draft[key]}
      type={isSecret ? 'password' : 'text'}
      autoComplete={false}
      onChange={({ detail }) => set({ [key]: detail.value })}
    />
  );
  return (
    <FormDialog
      title="Add a webhook endpoint"
      button="Add"
      isReady={[name, draft.appId, integrationId, draft.scheme, secret, url].every((value) => value !== '')}
      command={{ ...create, mutate: () => create.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField
        label="Name"
        description="Lower-case letters, digits and dashes."
        errorText={fieldProblem(create.error, 'name')}
      >
        {text('name')}
      </FormField>
      {appId === '' ? (
        <FormField label="App that sends" errorText={fieldProblem(create.error, 'appId')}>
          <Pick
            label="App that sends"
            options={(apps.data ?? []).map(option)}
            value={draft.appId}
            onPick={(value) => set({ appId: value })}
          />
        </FormField>
      ) : null}
      <FormField label="How it signs" errorText={fieldProblem(create.error, 'scheme')}>
        <Pick
          label="How it signs"
          options={(schemes.data ?? []).map((one) => ({ value: one.name, label: one.title }))}
          value={draft.scheme}
          onPick={(value) => set({ scheme: value })}
        />
      </FormField>
      <FormField
        label="Secret of the vendor"
        description={scheme?.hint ?? 'What the vendor signs with.'}
        errorText={fieldProblem(create.error, 'secret')}
      >
        {text('secret', true)}
      </FormField>
      <FormField label="Integration that gets it" errorText={fieldProblem(create.error, 'integrationId')}>
        <Pick
          label="Integration that gets it"
          options={(integrations.data ?? []).map(option)}
          value={integrationId}
          onPick={(value) => set({ integrationId: value })}
        />
      </FormField>
      <FormField
        label="Its address"
        description="Where the integration takes deliveries: https://…"
        errorText={fieldProblem(create.error, 'url')}
      >
        {text('url')}
      </FormField>
      <ExpandableSection headerText="Types, order, schema, network">
        <SpaceBetween size="m">
          <FormField
            label="Event types"
            description="With commas; issues* takes all that begin so. Empty: all."
            errorText={fieldProblem(create.error, 'types')}
          >
            {text('types')}
          </FormField>
          <FormField label="Order">
            <Pick
              label="Order"
              options={[
                { value: 'none', label: 'As fast as they come' },
                { value: 'endpoint', label: 'One after another' },
              ]}
              value={draft.order}
              onPick={(value) => set({ order: value === 'endpoint' ? 'endpoint' : 'none' })}
            />
          </FormField>
          <FormField
            label="JSON Schema"
            description="Bodies that don't fit are refused."
            errorText={fieldProblem(create.error, 'schema')}
          >
            <Textarea value={draft.schema} rows={4} onChange={({ detail }) => set({ schema: detail.value })} />
          </FormField>
          <FormField
            label="Private addresses"
            description="Exact addresses on an inner network that Cordon may deliver to; with them http:// is accepted."
            errorText={fieldProblem(create.error, 'privateAddresses')}
          >
            {text('privateAddresses')}
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
    </FormDialog>
  );
}
