import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignOnProvider } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { ProviderAttempts } from './ProviderAttempts.tsx';
import { ProviderDomains } from './ProviderDomains.tsx';
import { ProviderMapping } from './ProviderMapping.tsx';
import { ProviderState } from './ProviderState.tsx';

const PARENTS = [{ text: 'Sign-on providers', href: '/sign-on-providers' }];

/** One provider: what it must be told, its domains, the mapping, a test sign-in, and what came of the latest ones. */
export function ProviderPage() {
  const { id } = useParams({ from: '/inside/sign-on-providers/$id' });
  const provider = useQuery({
    queryKey: ['sign-on-providers', id],
    queryFn: async () => taken(await api.GET('/api/v1/sign-on/providers/{id}', { params: { path: { id } } })),
  });
  return <QueryState query={provider}>{(found) => <Loaded provider={found} />}</QueryState>;
}

function Loaded({ provider }: { readonly provider: SignOnProvider }) {
  const can = useCan();
  const go = useGo();
  const [removing, setRemoving] = useState(false);
  const params = { path: { id: provider.id } };
  const changes = [['sign-on-providers']];
  const status = useCommand({
    run: async (next: 'active' | 'disabled') =>
      taken(await api.PUT('/api/v1/sign-on/providers/{id}/status', { params, body: { status: next } })),
    changes,
  });
  const remove = useCommand({
    run: async () => taken(await api.DELETE('/api/v1/sign-on/providers/{id}', { params })),
    done: `${provider.name} was removed.`,
    changes,
    onDone: () => go('/sign-on-providers'),
  });
  const isOn = provider.status === 'active';
  const actions = can('sso.write') ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button
        href={`/sso/up/start/${provider.id}?mode=test&next=${encodeURIComponent(`/sign-on-providers/${provider.id}`)}`}
      >
        Try a sign-in
      </Button>
      <Button onClick={() => setRemoving(true)}>Remove</Button>
      <Button
        variant={isOn ? 'normal' : 'primary'}
        disabled={!isOn && !provider.tested}
        loading={status.isPending}
        onClick={() => status.mutate(isOn ? 'disabled' : 'active')}
      >
        {isOn ? 'Switch off' : 'Switch on'}
      </Button>
    </SpaceBetween>
  ) : null;
  return (
    <Page title={provider.name} parents={PARENTS} actions={actions}>
      <SpaceBetween size="l">
        <ProblemAlert error={status.error} />
        {isOn || provider.tested ? null : (
          <Alert type="info" header="Not on yet">
            Enter the addresses below at the provider, add and verify a domain, then try a sign-in. It changes nothing
            and makes nobody; after one that went well the provider can be switched on.
          </Alert>
        )}
        <Container header={<Header variant="h2">What to enter at the provider</Header>}>
          <KeyValuePairs
            columns={2}
            items={[{ label: 'State', value: <ProviderState provider={provider} /> }, ...facts(provider)]}
          />
        </Container>
        <ProviderDomains id={provider.id} />
        <ProviderMapping provider={provider} key={provider.updatedAt} />
        <ProviderAttempts id={provider.id} />
      </SpaceBetween>
      {removing ? (
        <Confirm
          title={`Remove ${provider.name}?`}
          text="Nobody can come from there any more. Sessions that came from there end, and what its groups gave is taken away."
          button="Remove"
          command={remove}
          input={undefined}
          onClose={() => setRemoving(false)}
        />
      ) : null}
    </Page>
  );
}

function facts({ settings, addresses }: SignOnProvider) {
  if (settings.protocol === 'oidc') {
    return [
      { label: 'Issuer', value: String(settings['issuer']) },
      { label: 'Redirect address', value: addresses.redirectUri },
      { label: 'Address after sign-out', value: addresses.postLogoutUrl },
      { label: 'Back-channel logout address', value: addresses.backchannelLogoutUrl },
    ];
  }
  return [
    { label: 'Provider’s entity id', value: String(settings['entityId']) },
    { label: 'Entity id and metadata of Cordon', value: addresses.entityId },
    { label: 'Assertion consumer address', value: addresses.acsUrl },
    { label: 'Single logout address', value: addresses.sloUrl },
  ];
}
