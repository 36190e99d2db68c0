import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
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
import type { SignOnDomain } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** Which e-mail addresses lead to the provider. */
export function ProviderDomains({ id }: { readonly id: string }) {
  const can = useCan();
  const [domain, setDomain] = useState('');
  const [vouching, setVouching] = useState<string | null>(null);
  const key = ['sign-on-domains', id];
  const domains = useQuery({
    queryKey: key,
    queryFn: async () =>
      taken(await api.GET('/api/v1/sign-on/providers/{id}/domains', { params: { path: { id } } })).items,
  });
  const add = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/sign-on/providers/{id}/domains', { params: { path: { id } }, body: { domain } })),
    changes: [key],
    onDone: () => setDomain(''),
  });
  const verify = useCommand({
    run: async (input: { name: string; byOwner: boolean }) =>
      taken(
        await api.POST('/api/v1/sign-on/providers/{id}/domains/{domain}/verify', {
          params: { path: { id, domain: input.name } },
          body: { byOwner: input.byOwner },
        }),
      ),
    done: (_done, { name }) => `${name} is verified.`,
    changes: [key],
    onDone: () => setVouching(null),
  });
  const remove = useCommand({
    run: async (name: string) =>
      taken(
        await api.DELETE('/api/v1/sign-on/providers/{id}/domains/{domain}', { params: { path: { id, domain: name } } }),
      ),
    changes: [key],
  });
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={add.error ?? verify.error ?? remove.error ?? domains.error} />
      <Table<SignOnDomain>
        variant="container"
        wrapLines
        items={domains.data ?? []}
        loading={domains.isPending}
        loadingText="Loading domains"
        trackBy="domain"
        ariaLabels={{ tableLabel: 'Domains' }}
        header={
          <Header
            variant="h2"
            description="People with an address of a verified domain are led to the provider, and only they get in."
            actions={
              can('sso.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Input
                    value={domain}
                    ariaLabel="Domain"
                    placeholder="example.com"
                    onChange={({ detail }) => setDomain(detail.value)}
                  />
                  <Button disabled={domain === ''} loading={add.isPending} onClick={() => add.mutate()}>
                    Add domain
                  </Button>
                </SpaceBetween>
              ) : null
            }
          >
            Domains
          </Header>
        }
        columnDefinitions={[
          { id: 'domain', header: 'Domain', isRowHeader: true, cell: (one) => one.domain },
          {
            id: 'state',
            header: 'State',
            cell: (one) =>
              one.verifiedAt === null ? (
                <StatusIndicator type="pending">to be verified</StatusIndicator>
              ) : (
                <StatusIndicator type="success">
                  {one.verifiedBy === 'dns' ? 'verified by DNS' : 'an owner’s word'}
                </StatusIndicator>
              ),
          },
          {
            id: 'record',
            header: 'TXT record',
            cell: (one) =>
              one.verifiedBy === 'dns' ? null : (
                <Box variant="code">
                  {one.record.name} {one.record.value}
                </Box>
              ),
          },
          {
            id: 'act',
            header: 'Action',
            cell: (one) =>
              can('sso.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  {one.verifiedAt === null ? (
                    <>
                      <Button variant="inline-link" onClick={() => verify.mutate({ name: one.domain, byOwner: false })}>
                        Check DNS
                      </Button>
                      <Button variant="inline-link" onClick={() => setVouching(one.domain)}>
                        Vouch for it
                      </Button>
                    </>
                  ) : null}
                  <Button
                    variant="inline-link"
                    ariaLabel={`Remove ${one.domain}`}
                    onClick={() => remove.mutate(one.domain)}
                  >
                    Remove
                  </Button>
                </SpaceBetween>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">None yet: nobody can come from there.</Box>}
      />
      {vouching === null ? null : (
        <Confirm
          title={`Is ${vouching} yours?`}
          text="Whoever rules the provider can then sign in as anybody with an address of this domain who has no factor here. Your word stands in the audit trail."
          button="Vouch for it"
          command={verify}
          input={{ name: vouching, byOwner: true }}
          onClose={() => setVouching(null)}
        />
      )}
    </SpaceBetween>
  );
}
