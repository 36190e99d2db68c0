import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { integrationsQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App, VendorCredential } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { UpstreamPanel } from './UpstreamPanel.tsx';
import { labelOfKind } from './vault-kinds.ts';
import { vaultQuery } from './vault-queries.ts';
import { VaultForm } from './VaultForm.tsx';

const STATE: Readonly<Record<VendorCredential['state'], { type: StatusIndicatorProps.Type; text: string }>> = {
  ready: { type: 'success', text: 'Ready' },
  pending: { type: 'pending', text: 'Not connected: calls are refused' },
  failing: { type: 'warning', text: 'Not renewed' },
  expired: { type: 'error', text: 'Expired: calls are refused' },
};
const STAGE: Readonly<Record<VendorCredential['stage'], string>> = {
  current: 'In use',
  staged: 'Next',
  overlap: 'Before',
};

type Act = 'renew' | 'verify' | 'roll-back' | 'erase';

const DONE: Readonly<Record<Act, string>> = {
  renew: 'A new token was minted; the gateways use it.',
  verify: 'The vendor takes the credential.',
  'roll-back': 'The credential before the last switch is in use again.',
  erase: 'The credential is erased.',
};

async function run(app: App, act: Act, one: VendorCredential) {
  const path = { id: app.id };
  const each = { params: { path: { ...path, credentialId: one.id } } };
  const body = { integrationId: one.integrationId };
  switch (act) {
    case 'renew':
      return taken(await api.POST('/api/v1/apps/{id}/credentials/{credentialId}/renew', each));
    case 'verify':
      return taken(await api.POST('/api/v1/apps/{id}/credentials/{credentialId}/verify', each));
    case 'roll-back':
      return taken(await api.POST('/api/v1/apps/{id}/credentials/roll-back', { params: { path }, body }));
    default:
      return taken(await api.DELETE('/api/v1/apps/{id}/credentials', { params: { path }, body }));
  }
}

function actsOf(one: VendorCredential): { id: Act; text: string }[] {
  const isThere = one.state !== 'pending';
  return [
    ...(one.renews && isThere && one.stage !== 'overlap' ? [{ id: 'renew' as const, text: 'Renew now' }] : []),
    ...(one.verifyPath !== null && isThere ? [{ id: 'verify' as const, text: 'Verify now' }] : []),
    ...(one.stage === 'overlap' ? [{ id: 'roll-back' as const, text: 'Go back to this one' }] : []),
    ...(one.stage === 'current' ? [{ id: 'erase' as const, text: 'Erase' }] : []),
  ];
}

/** What the vault holds of an app, how it fares, and everything that can be done to it but read it. */
export function VaultPanel({ app }: { readonly app: App }) {
  const can = useCan();
  const vault = useQuery(vaultQuery(app.id));
  const integrations = useQuery(integrationsQuery);
  const [form, setForm] = useState<'add' | 'rotate' | null>(null);
  const changes = [['apps'], ['audit']];
  const act = useCommand({
    run: async ({ what, one }: { what: Act; one: VendorCredential }) => run(app, what, one),
    done: (_list, { what }) => DONE[what],
    changes,
  });
  const connect = useCommand({
    run: async (one: VendorCredential) => {
      const params = { path: { id: app.id, credentialId: one.id } };
      return taken(await api.POST('/api/v1/apps/{id}/credentials/{credentialId}/connect', { params }));
    },
    // The vendor's own page takes over; it sends the person back to /connect.
    onDone: ({ authorizeUrl }) => window.location.assign(authorizeUrl),
  });
  const items = vault.data?.items ?? [];
  const mayChange = can('credential.write');
  const nameOf = (id: string | null): string =>
    id === null ? 'All integrations' : (integrations.data?.find((one) => one.id === id)?.name ?? id);
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={vault.error ?? act.error ?? connect.error} />
      <Table<VendorCredential>
        variant="container"
        loading={vault.isPending}
        loadingText="Loading credentials"
        items={items}
        trackBy="id"
        wrapLines
        ariaLabels={{ tableLabel: 'Vendor credentials' }}
        header={
          <Header
            variant="h2"
            description="Sealed. Nobody reads them here, and no integration holds them."
            actions={
              mayChange ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button onClick={() => setForm('add')}>Add or replace</Button>
                  <Button variant="primary" disabled={items.length === 0} onClick={() => setForm('rotate')}>
                    Rotate
                  </Button>
                </SpaceBetween>
              ) : null
            }
          >
            Vendor credentials
          </Header>
        }
        columnDefinitions={[
          { id: 'for', header: 'For', isRowHeader: true, cell: (one) => nameOf(one.integrationId) },
          { id: 'kind', header: 'Kind', cell: (one) => labelOfKind(one.kind) },
          { id: 'stage', header: 'Stage', cell: (one) => <StageText one={one} /> },
          { id: 'state', header: 'State', cell: (one) => <StateText one={one} /> },
          { id: 'expires', header: 'Ends', cell: (one) => (one.expiresAt === null ? '-' : showTime(one.expiresAt)) },
          { id: 'renewed', header: 'Renewed', cell: (one) => <Ago at={one.refreshedAt} /> },
          { id: 'verified', header: 'Verified', cell: (one) => <Ago at={one.verifiedAt} none="never" /> },
          ...(mayChange
            ? [
                {
                  id: 'act',
                  header: 'Action',
                  cell: (one: VendorCredential) => (
                    <SpaceBetween direction="horizontal" size="xs">
                      {one.connects && one.stage !== 'overlap' ? (
                        <Button loading={connect.isPending} onClick={() => connect.mutate(one)}>
                          {one.state === 'pending' ? 'Connect' : 'Connect again'}
                        </Button>
                      ) : null}
                      {actsOf(one).length > 0 ? (
                        <ButtonDropdown
                          variant="inline-icon"
                          expandToViewport
                          ariaLabel={`More for ${labelOfKind(one.kind)}`}
                          items={actsOf(one)}
                          onItemClick={({ detail }) => act.mutate({ what: detail.id as Act, one })} // one of the items
                        />
                      ) : null}
                    </SpaceBetween>
                  ),
                },
              ]
            : []),
        ]}
        empty={
          <Box textAlign="center" padding="m" color="text-body-secondary">
            None. Calls go out without a credential.
          </Box>
        }
      />
      <UpstreamPanel appId={app.id} />
      {form ? (
        <VaultForm
          app={app}
          redirectUri={vault.data?.redirectUri ?? ''}
          isRotation={form === 'rotate'}
          onClose={() => setForm(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

function StageText({ one }: { readonly one: VendorCredential }) {
  if (one.switchAt !== null) return <span>Next, from {showTime(one.switchAt)}</span>;
  if (one.overlapUntil !== null) return <span>Before, kept until {showTime(one.overlapUntil)}</span>;
  return <span>{STAGE[one.stage]}</span>;
}

function StateText({ one }: { readonly one: VendorCredential }) {
  const { type, text } = STATE[one.state];
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={type}>{text}</StatusIndicator>
      {one.problem === null ? null : <Box color="text-status-warning">{one.problem}</Box>}
    </SpaceBetween>
  );
}
