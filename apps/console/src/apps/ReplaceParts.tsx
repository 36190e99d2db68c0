import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { credentialBody, EMPTY_CREDENTIAL } from './credential-fields.ts';
import { CredentialFields } from './CredentialFields.tsx';
import { DescriptionField } from './DescriptionField.tsx';

interface PartProps {
  readonly app: App;
  readonly onClose: () => void;
}

export function ReplaceCredential({ app, onClose }: PartProps) {
  const [draft, setDraft] = useState(EMPTY_CREDENTIAL);
  const save = useCommand({
    run: async () =>
      taken(
        await api.PUT('/api/v1/apps/{id}/credential', {
          params: { path: { id: app.id } },
          body: credentialBody(draft),
        }),
      ),
    done: `The gateways use the new credential of ${app.title} from now on.`,
    changes: [['apps'], ['map'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      button="Save"
      title={`Credential of ${app.title}`}
      isReady={draft.secret !== ''}
      command={save}
      onClose={onClose}
    >
      <CredentialFields draft={draft} error={save.error} onChange={setDraft} />
    </FormDialog>
  );
}

export function ReplaceDescription({ app, onClose }: PartProps) {
  const [document, setDocument] = useState('');
  const save = useCommand({
    run: async () =>
      taken(await api.PUT('/api/v1/apps/{id}/description', { params: { path: { id: app.id } }, body: { document } })),
    done: ({ description }) => `${app.title} now describes ${description?.operations ?? 0} operations.`,
    changes: [['apps'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      button="Save"
      title={`Description of ${app.title}`}
      isReady={document !== ''}
      command={save}
      onClose={onClose}
    >
      <DescriptionField document={document} onChange={setDocument} />
    </FormDialog>
  );
}
