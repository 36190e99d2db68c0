import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { BreakGlassAccount, BreakGlassUse } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay, showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { LinkView, type MadeLink } from './PersonForms.tsx';

const REFRESH_MS = 5_000;
const CHANGED = [['break-glass'], ['people'], ['audit']] as const;
const LOOKS: Readonly<Record<BreakGlassAccount['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  ready: ['success', 'Ready'],
  overdue: ['warning', 'Drill overdue'],
  unsealed: ['warning', 'Not sealed'],
  unfinished: ['error', 'Can not sign in yet'],
  disabled: ['stopped', 'Disabled'],
};

function MakeForm({ onClose, onLink }: { readonly onClose: () => void; readonly onLink: (link: MadeLink) => void }) {
  const [name, setName] = useState('');
  const make = useCommand({
    run: async () => taken(await api.POST('/api/v1/break-glass', { body: { name } })),
    changes: CHANGED,
    onDone: ({ link }) => {
      onClose();
      onLink({ ...link, name });
    },
  });
  const command = { isPending: make.isPending, error: make.error, mutate: () => make.mutate(undefined) };
  return (
    <FormDialog
      title="Make a break-glass account"
      button="Make"
      isReady={name !== ''}
      command={command}
      onClose={onClose}
    >
      <Alert type="info">
        An owner that no corporate provider stands for. Open its link with a hardware passkey in hand, keep the recovery
        codes, and put both into an envelope with a seal.
      </Alert>
      <FormField label="Name">
        <Input value={name} placeholder="Break glass 1" onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function SealForm({ account, onClose }: { readonly account: BreakGlassAccount; readonly onClose: () => void }) {
  const [place, setPlace] = useState(account.place);
  const [seal, setSeal] = useState('');
  const save = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.PUT('/api/v1/break-glass/{id}/seal', { params: { path: { id: account.id } }, body: { place, seal } }),
      ),
    done: `${account.name} is sealed.`,
    changes: CHANGED,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Seal ${account.name}`}
      button="Seal"
      isReady={place.length > 2 && seal !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Where the envelope lies">
        <Input value={place} placeholder="Safe in Bern" onChange={({ detail }) => setPlace(detail.value)} />
      </FormField>
      <FormField label="Number of the seal" description="What somebody must find unbroken.">
        <Input value={seal} onChange={({ detail }) => setSeal(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function RemoveForm({
  account,
  isWarned,
  onClose,
}: {
  readonly account: BreakGlassAccount;
  readonly isWarned: boolean;
  readonly onClose: () => void;
}) {
  const [acknowledge, setAcknowledge] = useState(false);
  const remove = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.DELETE('/api/v1/break-glass/{id}', {
          params: { path: { id: account.id }, query: { acknowledge: acknowledge ? 'true' : 'false' } },
        }),
      ),
    done: `${account.name} is disabled.`,
    changes: CHANGED,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Remove ${account.name}?`}
      button="Remove"
      isReady={!isWarned || acknowledge}
      command={remove}
      onClose={onClose}
    >
      {isWarned ? (
        <>
          <Alert type="warning">
            Fewer than two would be left. If the corporate provider fails, one lost passkey locks everybody out.
          </Alert>
          <Checkbox checked={acknowledge} onChange={({ detail }) => setAcknowledge(detail.checked)}>
            I know, remove it all the same
          </Checkbox>
        </>
      ) : (
        <Box>It is disabled and can not sign in any more.</Box>
      )}
    </FormDialog>
  );
}

function Uses({ account, onClose }: { readonly account: BreakGlassAccount; readonly onClose: () => void }) {
  const uses = useQuery({
    queryKey: ['break-glass', account.id, 'uses'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/break-glass/{id}/uses', { params: { path: { id: account.id } } })).items,
  });
  return (
    <Modal visible size="large" header={`Sign-ins with ${account.name}`} closeAriaLabel="Close" onDismiss={onClose}>
      <ProblemAlert error={uses.error} />
      <Table<BreakGlassUse>
        variant="embedded"
        wrapLines
        loading={uses.isPending}
        items={uses.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Sign-ins' }}
        columnDefinitions={[
          { id: 'at', header: 'When', isRowHeader: true, cell: (row) => showTime(row.at) },
          {
            id: 'kind',
            header: 'What',
            minWidth: 100,
            cell: (row) => (
              <StatusIndicator type={row.kind === 'drill' ? 'info' : 'warning'}>
                {row.kind === 'drill' ? 'Drill' : 'Use'}
              </StatusIndicator>
            ),
          },
          { id: 'from', header: 'From', cell: (row) => `${row.ip}, ${row.methods.join(' + ')}` },
          {
            id: 'found',
            header: 'Found',
            minWidth: 400,
            cell: (row) => (
              <SpaceBetween size="xxxs">
                {row.findings.map(({ check, ok, detail }) => (
                  <StatusIndicator key={check} type={ok ? 'success' : 'error'}>
                    {check}: {detail}
                  </StatusIndicator>
                ))}
              </SpaceBetween>
            ),
          },
        ]}
        empty="Never used."
      />
    </Modal>
  );
}

type Dialog =
  | { readonly kind: 'make' }
  | { readonly kind: 'seal' | 'remove' | 'uses'; readonly account: BreakGlassAccount };

/** Accounts for the day when the corporate provider is gone. */
export function BreakGlassPage() {
  const can = useCan();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [link, setLink] = useState<MadeLink | null>(null);
  const found = useQuery({
    queryKey: ['break-glass'],
    queryFn: async () => taken(await api.GET('/api/v1/break-glass')),
    refetchInterval: REFRESH_MS,
  });
  const drill = useCommand({
    run: async (account: BreakGlassAccount) =>
      taken(await api.POST('/api/v1/break-glass/{id}/drill', { params: { path: { id: account.id } } })),
    done: ({ until }, account) => `Sign in with ${account.name} until ${showTime(until)}: it is recorded as a drill.`,
    changes: CHANGED,
  });
  const { ready = 0, needed = 2, accounts = [] } = found.data ?? {};
  const close = (): void => setDialog(null);
  return (
    <Page
      title="Break-glass accounts"
      description="Owners that don’t depend on the corporate provider. Every use is an alarm; drills show that they work."
    >
      <SpaceBetween size="m">
        <ProblemAlert error={found.error ?? drill.error} />
        {found.data && ready < needed ? (
          <Alert type="warning" header={`${ready} of ${needed} can sign in`}>
            If the corporate provider is out of reach, or in the wrong hands, these are the only way in.
          </Alert>
        ) : null}
        <Table<BreakGlassAccount>
          variant="container"
          wrapLines
          loading={found.isPending}
          loadingText="Loading accounts"
          items={accounts}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Break-glass accounts' }}
          header={
            <Header
              counter={`(${ready} of ${needed} work)`}
              actions={
                can('person.write') ? (
                  <Button variant="primary" onClick={() => setDialog({ kind: 'make' })}>
                    Make an account
                  </Button>
                ) : null
              }
            >
              Accounts
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            {
              id: 'state',
              header: 'State',
              cell: (row) => <StatusIndicator type={LOOKS[row.state][0]}>{LOOKS[row.state][1]}</StatusIndicator>,
            },
            {
              id: 'has',
              header: 'Holds',
              cell: (row) => `${row.passkeys} passkeys, ${row.recoveryCodes} codes`,
            },
            {
              id: 'sealed',
              header: 'Envelope',
              cell: (row) =>
                row.sealedAt === null ? 'open' : `${row.place}, seal ${row.seal}, since ${showDay(row.sealedAt)}`,
            },
            { id: 'drilled', header: 'Last drill', cell: (row) => <Ago at={row.lastDrillAt} none="never" /> },
            { id: 'due', header: 'Drill due', cell: (row) => showDay(row.drillDueAt) },
            { id: 'used', header: 'Last sign-in', cell: (row) => <Ago at={row.lastUsedAt} none="never" /> },
            {
              id: 'act',
              header: 'Action',
              cell: (row) => (
                <ButtonDropdown
                  variant="inline-icon"
                  expandToViewport
                  ariaLabel={`Actions for ${row.name}`}
                  items={[
                    { id: 'uses', text: 'Show sign-ins' },
                    ...(can('person.write')
                      ? [
                          { id: 'seal', text: 'Seal' },
                          { id: 'drill', text: 'Announce a drill' },
                          { id: 'remove', text: 'Remove' },
                        ]
                      : []),
                  ]}
                  onItemClick={({ detail }) => {
                    if (detail.id === 'drill') drill.mutate(row);
                    else
                      setDialog({
                        kind: detail.id === 'seal' || detail.id === 'remove' ? detail.id : 'uses',
                        account: row,
                      });
                  }}
                />
              ),
            },
          ]}
          empty={
            <Box color="text-body-secondary">
              None yet. Without them, whoever controls the corporate provider controls the way into Cordon.
            </Box>
          }
        />
      </SpaceBetween>
      {dialog?.kind === 'make' ? <MakeForm onClose={close} onLink={setLink} /> : null}
      {dialog?.kind === 'seal' ? <SealForm account={dialog.account} onClose={close} /> : null}
      {dialog?.kind === 'uses' ? <Uses account={dialog.account} onClose={close} /> : null}
      {dialog?.kind === 'remove' ? (
        <RemoveForm account={dialog.account} isWarned={ready <= needed} onClose={close} />
      ) : null}
      {link ? <LinkView link={link} onClose={() => setLink(null)} /> : null}
    </Page>
  );
}
