import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Webhook } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { MadeWebhook } from './WebhookSecretView.tsx';

const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = '24';

function overlapOf(hours: string): number {
  return Math.round(Number(hours) * HOUR_MS);
}

function Overlap({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <FormField label="Hours that the old one stays good" description="Both are good meanwhile. 0 ends the old one now.">
      <Input value={value} type="number" inputMode="numeric" onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  );
}

export function RotateSecret({ endpoint, onClose }: { readonly endpoint: Webhook; readonly onClose: () => void }) {
  const [secret, setSecret] = useState('');
  const [hours, setHours] = useState(DEFAULT_HOURS);
  const rotate = useCommand({
    run: async () => {
      const params = { path: { id: endpoint.id } };
      const body = { secret, overlapMs: overlapOf(hours) };
      return taken(await api.POST('/api/v1/webhooks/{id}/secret', { params, body }));
    },
    done: 'The new secret is in force.',
    changes: [['webhooks'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Replace the vendor's secret"
      button="Replace"
      isReady={secret !== '' && hours !== ''}
      command={{ ...rotate, mutate: () => rotate.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="New secret" errorText={fieldProblem(rotate.error, 'secret')}>
        <Input value={secret} type="password" autoComplete={false} onChange={({ detail }) => setSecret(detail.value)} />
      </FormField>
      <Overlap value={hours} onChange={setHours} />
    </FormDialog>
  );
}

export function RotateSigning({
  endpoint,
  onClose,
  onMade,
}: {
  readonly endpoint: Webhook;
  readonly onClose: () => void;
  readonly onMade: (made: MadeWebhook) => void;
}) {
  const [hours, setHours] = useState(DEFAULT_HOURS);
  const rotate = useCommand({
    run: async () => {
      const params = { path: { id: endpoint.id } };
      return taken(
        await api.POST('/api/v1/webhooks/{id}/signing-secret', { params, body: { overlapMs: overlapOf(hours) } }),
      );
    },
    changes: [['webhooks'], ['audit']],
    onDone: ({ signingSecret }) => {
      onClose();
      onMade({ address: endpoint.address, signingSecret });
    },
  });
  return (
    <FormDialog
      title="Replace the integration's secret"
      button="Replace"
      isReady={hours !== ''}
      command={{ ...rotate, mutate: () => rotate.mutate(undefined) }}
      onClose={onClose}
    >
      <Box>
        Deliveries carry a signature of each secret that is good, so the integration can change over at leisure.
      </Box>
      <Overlap value={hours} onChange={setHours} />
    </FormDialog>
  );
}
