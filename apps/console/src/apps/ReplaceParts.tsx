import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
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
    <PartDialog
      title={`Credential of ${app.title}`}
      isReady={draft.secret !== ''}
      isPending={save.isPending}
      onSave={() => save.mutate()}
      onClose={onClose}
    >
      <ProblemAlert error={save.error} />
      <CredentialFields draft={draft} error={save.error} onChange={setDraft} />
    </PartDialog>
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
    <PartDialog
      title={`Description of ${app.title}`}
      isReady={document !== ''}
      isPending={save.isPending}
      onSave={() => save.mutate()}
      onClose={onClose}
    >
      <ProblemAlert error={save.error} />
      <DescriptionField document={document} onChange={setDocument} />
    </PartDialog>
  );
}

function PartDialog({
  title,
  isReady,
  isPending,
  onSave,
  onClose,
  children,
}: {
  readonly title: string;
  readonly isReady: boolean;
  readonly isPending: boolean;
  readonly onSave: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Modal
      visible
      size="large"
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!isReady} loading={isPending} onClick={onSave}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">{children}</SpaceBetween>
    </Modal>
  );
}
