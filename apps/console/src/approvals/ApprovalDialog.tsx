import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Approval } from '../api/wire.ts';
import { showTime } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { ApprovalState } from './ApprovalState.tsx';
import { showLeft } from './left.ts';

const REASON_CHARS_MIN = 3;

function factsOf(
  { call, integration, message, expiresAt, usesMax, uses, decidedBy, decidedAt, reason, state }: Approval,
  now: number,
) {
  const bound = call.body_sha256 ? 'exactly this body' : call.arguments ? 'these arguments' : 'any body';
  return [
    { label: 'Integration', value: integration.name },
    { label: 'App', value: call.app },
    { label: 'Operation', value: call.operation },
    { label: 'Request', value: <Box variant="code">{`${call.method} ${call.path}`}</Box> },
    { label: 'Good for', value: `${usesMax} ${usesMax === 1 ? 'call' : 'calls'}, ${bound}` },
    { label: 'It says', value: message ?? '-' },
    { label: 'State', value: <ApprovalState state={state} /> },
    ...(state === 'pending' ? [{ label: 'Time left', value: showLeft(expiresAt, now) }] : []),
    ...(call.body_sha256
      ? [{ label: 'SHA-256 of the body', value: <Box variant="code">{call.body_sha256}</Box> }]
      : []),
    ...Object.entries(call.arguments ?? {}).map(([pointer, value]) => ({
      label: pointer,
      value: <Box variant="code">{JSON.stringify(value)}</Box>,
    })),
    ...(decidedBy
      ? [
          { label: 'Decided by', value: `${decidedBy.name}, ${decidedAt === null ? '' : showTime(decidedAt)}` },
          { label: 'Reason', value: reason ?? '-' },
          { label: 'Used', value: `${uses} of ${usesMax}` },
        ]
      : []),
  ];
}

/** What exactly is asked, and the decision. The server wants a passkey for it; the dialog for that opens by itself. */
export function ApprovalDialog({ approval, onClose }: { readonly approval: Approval; readonly onClose: () => void }) {
  const { id } = approval;
  const now = useNow(1_000);
  const [reason, setReason] = useState('');
  const decide = useCommand({
    run: async (verb: 'approve' | 'deny') =>
      taken(await api.POST(`/api/v1/approvals/{id}/${verb}`, { params: { path: { id } }, body: { reason } })),
    done: (_, verb) => `${approval.call.operation} is ${verb === 'approve' ? 'approved' : 'denied'}.`,
    changes: [['approvals'], ['audit']],
    onDone: onClose,
  });
  const isReady = reason.trim().length >= REASON_CHARS_MIN;
  return (
    <Modal
      visible
      size="large"
      header={`${approval.integration.name} asks for ${approval.call.operation}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Close
            </Button>
            {approval.decidable ? (
              <Button disabled={!isReady} loading={decide.isPending} onClick={() => decide.mutate('deny')}>
                Deny
              </Button>
            ) : null}
            {approval.decidable ? (
              <Button
                variant="primary"
                disabled={!isReady}
                loading={decide.isPending}
                onClick={() => decide.mutate('approve')}
              >
                Approve
              </Button>
            ) : null}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={decide.error} />
        <KeyValuePairs columns={2} items={factsOf(approval, now)} />
        {approval.decidable ? (
          <FormField label="Reason" description="Kept as evidence, with your name.">
            <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
          </FormField>
        ) : approval.state === 'pending' ? (
          <Alert type="info">
            You can’t decide this: you own the integration, another person was asked, or your role may not approve.
          </Alert>
        ) : null}
      </SpaceBetween>
    </Modal>
  );
}
