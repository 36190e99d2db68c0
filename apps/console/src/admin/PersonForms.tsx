import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Person, Role } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { RolePicker } from './RolePicker.tsx';

export interface MadeLink {
  readonly url: string;
  readonly expiresAt: string;
  readonly name: string;
}

/** A one-time link, which only the person who made it ever sees. */
export function LinkView({ link, onClose }: { readonly link: MadeLink; readonly onClose: () => void }) {
  return (
    <Modal
      visible
      size="large"
      header={`Link for ${link.name}`}
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
        <Alert type="warning">
          Shown this once. Whoever opens it first becomes {link.name}: send it by a way you trust. It ends{' '}
          {showTime(link.expiresAt)}.
        </Alert>
        <CopyText text={link.url} label="Copy the link" />
      </SpaceBetween>
    </Modal>
  );
}

export function InviteForm({
  onClose,
  onLink,
}: {
  readonly onClose: () => void;
  readonly onLink: (link: MadeLink) => void;
}) {
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [roles, setRoles] = useState<readonly Role[]>([]);
  const invite = useCommand({
    run: async () => taken(await api.POST('/api/v1/people', { body: { name, email, roles: [...roles] } })),
    changes: [['people'], ['audit']],
    onDone: ({ link }) => {
      onClose();
      onLink({ ...link, name });
    },
  });
  return (
    <FormDialog title="Invite a person" button="Invite" isReady={roles.length > 0} command={invite} onClose={onClose}>
      <FormField label="Name" errorText={fieldProblem(invite.error, 'name')}>
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="E-mail address" errorText={fieldProblem(invite.error, 'email')}>
        <Input value={email} type="email" autoComplete={false} onChange={({ detail }) => setEmail(detail.value)} />
      </FormField>
      <RolePicker roles={roles} onChange={setRoles} />
    </FormDialog>
  );
}

interface PersonFormProps {
  readonly person: Person;
  readonly onClose: () => void;
}

export function RolesForm({ person, onClose }: PersonFormProps) {
  const [roles, setRoles] = useState<readonly Role[]>(person.roles);
  const save = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/people/{id}', { params: { path: { id: person.id } }, body: { roles: [...roles] } }),
      ),
    done: `The roles of ${person.name} are changed.`,
    changes: [['people'], ['session'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Roles of ${person.name}`}
      button="Save"
      isReady={roles.length > 0}
      command={save}
      onClose={onClose}
    >
      <RolePicker roles={roles} onChange={setRoles} />
    </FormDialog>
  );
}

export function DisableForm({ person, onClose }: PersonFormProps) {
  const [reason, setReason] = useState('');
  const disable = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/people/{id}/disable', { params: { path: { id: person.id } }, body: { reason } })),
    done: ({ sessions, apiTokens }) =>
      `${person.name} is disabled; ${sessions} sessions and ${apiTokens} API tokens ended.`,
    changes: [['people'], ['sessions'], ['api-tokens'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Disable ${person.name}?`}
      button="Disable"
      isReady={reason.trim() !== ''}
      command={disable}
      onClose={onClose}
    >
      <Alert type="warning">Sessions, API tokens and links end at once. Integrations that they own go on.</Alert>
      <FormField label="Reason" description="Stands in the audit trail.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
