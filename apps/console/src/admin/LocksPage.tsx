import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ClientLock } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const POLL_MS = 3_000;
const KIND_TEXT: Readonly<Record<ClientLock['kind'], string>> = {
  address: 'Address at the token endpoint',
  client: 'Client at the token endpoint',
  gateway: 'Address at the gateways',
};

/** Who failed again and again, is slowed or locked, and can be let in again. */
export function LocksPage() {
  const can = useCan();
  const now = useNow(2_000);
  const [unlocking, setUnlocking] = useState<ClientLock | null>(null);
  const locks = useQuery({
    queryKey: ['locks'],
    queryFn: async () => taken(await api.GET('/api/v1/locks')).items,
    refetchInterval: POLL_MS,
  });
  return (
    <Page
      title="Locks"
      description="Addresses and clients that failed to prove themselves again and again. Each lock ends by itself."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={locks.error} onRetry={() => void locks.refetch()} />
        <Table<ClientLock>
          variant="container"
          loading={locks.isPending}
          loadingText="Loading locks"
          items={locks.data ?? []}
          trackBy={(row) => `${row.kind} ${row.value}`}
          ariaLabels={{ tableLabel: 'Locks' }}
          header={<Header variant="h2">Failures</Header>}
          columnDefinitions={[
            { id: 'value', header: 'Who', isRowHeader: true, cell: (row) => row.value },
            { id: 'kind', header: 'What it is', cell: (row) => KIND_TEXT[row.kind] },
            { id: 'failures', header: 'Failures', cell: (row) => row.failures },
            { id: 'state', header: 'State', cell: (row) => <LockState lock={row} now={now} /> },
            { id: 'reason', header: 'Latest', cell: (row) => row.reason },
            { id: 'since', header: 'Since', cell: (row) => <Ago at={row.since} /> },
            ...(can('lock.write')
              ? [
                  {
                    id: 'unlock',
                    header: 'Action',
                    cell: (row: ClientLock) => (
                      <Button variant="inline-link" ariaLabel={`Unlock ${row.value}`} onClick={() => setUnlocking(row)}>
                        Unlock
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              Nobody failed lately.
            </Box>
          }
        />
      </SpaceBetween>
      {unlocking ? <UnlockDialog lock={unlocking} onClose={() => setUnlocking(null)} /> : null}
    </Page>
  );
}

function LockState({ lock, now }: { readonly lock: ClientLock; readonly now: number }) {
  if (lock.lockedUntil === null || Date.parse(lock.lockedUntil) <= now) {
    return <StatusIndicator type="warning">Watched</StatusIndicator>;
  }
  return <StatusIndicator type="error">Locked until {showTime(lock.lockedUntil)}</StatusIndicator>;
}

function UnlockDialog({ lock, onClose }: { readonly lock: ClientLock; readonly onClose: () => void }) {
  const [reason, setReason] = useState('');
  const { kind, value } = lock;
  const unlock = useCommand({
    run: async () => taken(await api.POST('/api/v1/locks/remove', { body: { kind, value, reason } })),
    done: `${value} may try again.`,
    changes: [['locks'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Unlock ${value}?`}
      button="Unlock"
      isReady={reason.trim().length >= 3}
      command={unlock}
      onClose={onClose}
    >
      <FormField label="Reason" description="Kept as evidence, with your name.">
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
