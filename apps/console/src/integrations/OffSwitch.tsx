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
import type { Integration } from '../api/wire.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

export type Switch = 'revoke' | 'suspend' | 'restore';

interface SwitchText {
  readonly title: string;
  readonly button: string;
  readonly effect: string;
  readonly done: string;
}

const TEXT: Readonly<Record<Switch, SwitchText>> = {
  revoke: {
    title: 'Cut off',
    button: 'Cut off now',
    effect:
      'Every gateway refuses its calls within a second, its tokens end, and its credentials no longer get new ones.',
    done: 'is being cut off',
  },
  suspend: {
    title: 'Suspend',
    button: 'Suspend',
    effect: 'Every gateway refuses its calls until it is restored. Its credentials stay.',
    done: 'is suspended',
  },
  restore: {
    title: 'Restore',
    button: 'Restore',
    effect: 'Its calls are decided by its grants and your policies again. Tokens from before stay refused.',
    done: 'is restored',
  },
};

/** Confirms an off switch, a suspension or a restoration: what it does, why, and for a cut-off the name typed. */
export function OffSwitch({
  integration,
  turn,
  onClose,
}: {
  readonly integration: Integration;
  readonly turn: Switch;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const text = TEXT[turn];
  const act = useCommand({
    run: async () => {
      const request = { params: { path: { id: integration.id } }, body: { reason } };
      if (turn === 'revoke') taken(await api.POST('/api/v1/integrations/{id}/revoke', request));
      else if (turn === 'suspend') taken(await api.POST('/api/v1/integrations/{id}/suspend', request));
      else taken(await api.POST('/api/v1/integrations/{id}/restore', request));
    },
    done: `${integration.name} ${text.done}.`,
    changes: [['integrations'], ['map'], ['audit'], ['cut-offs', integration.id]],
    onDone: onClose,
  });
  const isNamed = turn !== 'revoke' || name === integration.name;
  return (
    <Modal
      visible
      header={`${text.title} ${integration.name}?`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button
              variant="primary"
              disabled={!isNamed || reason.trim().length < 3}
              loading={act.isPending}
              onClick={() => act.mutate()}
            >
              {text.button}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type={turn === 'restore' ? 'info' : 'warning'}>{text.effect}</Alert>
        <ProblemAlert error={act.error} />
        <FormField
          label="Reason"
          description="Stands in the audit trail."
          errorText={fieldProblem(act.error, 'reason')}
        >
          <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
        </FormField>
        {turn === 'revoke' ? (
          <FormField label={`To confirm, type ${integration.name}`}>
            <Input
              value={name}
              autoComplete={false}
              placeholder={integration.name}
              onChange={({ detail }) => setName(detail.value)}
            />
          </FormField>
        ) : null}
      </SpaceBetween>
    </Modal>
  );
}
