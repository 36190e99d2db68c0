import Alert from '@cloudscape-design/components/alert';
import Checkbox from '@cloudscape-design/components/checkbox';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

/** A receiver; its token is shown once. */
export function ReceiverForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [audience, setAudience] = useState('');
  const [endpointUrl, setEndpointUrl] = useState('');
  const [authorization, setAuthorization] = useState('');
  const [allSubjects, setAllSubjects] = useState(true);
  const add = useCommand({
    run: async () => {
      const push = endpointUrl === '' ? null : { endpointUrl, ...(authorization === '' ? {} : { authorization }) };
      return taken(await api.POST('/api/v1/signals/receivers', { body: { name, audience, allSubjects, push } }));
    },
    changes: [['signal-receivers'], ['audit']],
  });
  if (add.data) {
    const command = { isPending: false, error: null, mutate: onClose };
    return (
      <FormDialog title={`${name} is added`} button="Done" command={command} onClose={onClose}>
        <Alert type="warning" header="Copy the token now">
          It is not shown again. The receiver makes its stream with it, or is pushed to at the address that you gave.
        </Alert>
        <CopyToClipboard
          variant="inline"
          textToCopy={add.data.token}
          copySuccessText="Copied"
          copyErrorText="Not copied"
          copyButtonAriaLabel="Copy the token"
        />
      </FormDialog>
    );
  }
  return (
    <FormDialog
      title="Add a receiver"
      button="Add"
      isReady={name !== '' && audience !== ''}
      command={add}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Audience"
        description="As the receiver asks for it; of another Cordon its address."
        errorText={fieldProblem(add.error, 'audience')}
      >
        <Input value={audience} onChange={({ detail }) => setAudience(detail.value)} />
      </FormField>
      <Checkbox checked={allSubjects} onChange={({ detail }) => setAllSubjects(detail.checked)}>
        Tell it of everybody; otherwise of people whom it adds
      </Checkbox>
      <FormField
        label="Push address"
        description="Only for a receiver that can’t make its stream itself."
        errorText={fieldProblem(add.error, 'push')}
      >
        <Input value={endpointUrl} type="url" onChange={({ detail }) => setEndpointUrl(detail.value)} />
      </FormField>
      {endpointUrl === '' ? null : (
        <FormField label="Authorization to send" description="The whole header, for example Bearer and a token.">
          <Input value={authorization} type="password" onChange={({ detail }) => setAuthorization(detail.value)} />
        </FormField>
      )}
    </FormDialog>
  );
}
