import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const DELIVERIES = [
  { value: 'push', label: 'It pushes to Cordon' },
  {
    value: 'poll',
    label: 'Cordon asks, every five seconds',
    description: 'For a Cordon that the transmitter can’t reach.',
  },
] as const;

/** A transmitter whose events are acted on. */
export function SourceForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [issuer, setIssuer] = useState('');
  const [token, setToken] = useState('');
  const [delivery, setDelivery] = useState<'push' | 'poll'>('push');
  const add = useCommand({
    run: async () =>
      taken(
        await api.POST('/api/v1/signals/sources', {
          body: { name, issuer, delivery, ...(token === '' ? {} : { token }) },
        }),
      ),
    done: ({ source }) =>
      source.streamId === null ? `${source.name} is added.` : `${source.name} tells Cordon from now on.`,
    changes: [['signal-sources'], ['audit']],
    onDone: ({ source }) => {
      if (source.streamId !== null) onClose();
    },
  });
  if (add.data && add.data.source.streamId === null) {
    const command = { isPending: false, error: null, mutate: onClose };
    const copy = (text: string, label: string) => (
      <CopyToClipboard
        variant="inline"
        textToCopy={text}
        copySuccessText="Copied"
        copyErrorText="Not copied"
        copyButtonAriaLabel={label}
      />
    );
    return (
      <FormDialog title={`${name} is added`} button="Done" command={command} onClose={onClose}>
        <Alert type="warning" header="Make a stream at the transmitter">
          Enter these there now; the header is not shown again.
        </Alert>
        <KeyValuePairs
          items={[
            { label: 'Push address', value: copy(add.data.address.endpointUrl, 'Copy the address') },
            { label: 'Authorization', value: copy(add.data.address.authorization, 'Copy the header') },
          ]}
        />
      </FormDialog>
    );
  }
  return (
    <FormDialog
      title="Add a source"
      button="Add"
      isReady={name !== '' && issuer !== ''}
      command={add}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Issuer"
        description="Its address; Cordon reads the rest from /.well-known/ssf-configuration."
        errorText={fieldProblem(add.error, 'issuer')}
      >
        <Input value={issuer} type="url" onChange={({ detail }) => setIssuer(detail.value)} />
      </FormField>
      <FormField
        label="Token"
        description="Ours at the transmitter, so that Cordon makes its stream there. Empty: an administrator there makes it."
        errorText={fieldProblem(add.error, 'token')}
      >
        <Input value={token} type="password" onChange={({ detail }) => setToken(detail.value)} />
      </FormField>
      <FormField label="Delivery">
        <RadioGroup
          value={delivery}
          items={[...DELIVERIES]}
          onChange={({ detail }) => setDelivery(detail.value === 'poll' ? 'poll' : 'push')}
        />
      </FormField>
    </FormDialog>
  );
}
