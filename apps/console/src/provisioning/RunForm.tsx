import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';

/** Brings a tool to what is wanted, drift included. */
export function RunForm({
  target,
  onClose,
}: {
  readonly target: { readonly id: string; readonly name: string; readonly leaversMax: number };
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [allowed, setAllowed] = useState(String(target.leaversMax));
  const push = useCommand<void, { runId: string }>({
    run: async () => {
      const body = { mode: 'push' as const, reason, leaversAllowed: Number(allowed) || 0 };
      const params = { path: { id: target.id } };
      return taken(await api.POST('/api/v1/provisioning/targets/{id}/runs', { params, body }));
    },
    changes: [['provisioning'], ['audit']],
    onDone: ({ runId }) => {
      onClose();
      void navigate({ to: '/provisioning/$id', params: { id: runId } });
    },
  });
  return (
    <FormDialog
      title={`Push to ${target.name}`}
      button="Push"
      isReady={reason.trim().length >= 3}
      command={push}
      onClose={onClose}
    >
      <FormField label="Why" description="Kept as evidence.">
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField
        label="Accounts it may take away"
        description="A group that was emptied by mistake must not lock everybody out. Look at a preview first."
      >
        <Input type="number" value={allowed} onChange={({ detail }) => setAllowed(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
