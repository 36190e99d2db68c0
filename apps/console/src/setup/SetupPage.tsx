import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { appsQuery, credentialsQuery, grantsQuery, integrationsQuery } from '../api/estate-queries.ts';
import type { MadeCredential } from '../api/wire.ts';
import { AppForm } from '../apps/AppForm.tsx';
import { CredentialForm } from '../integrations/CredentialForm.tsx';
import { GrantForm } from '../integrations/GrantForm.tsx';
import { IntegrationForm } from '../integrations/IntegrationForm.tsx';
import { Page } from '../shell/Page.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { FirstCall } from './FirstCall.tsx';

type Dialog = 'app' | 'integration' | 'grant' | 'credential';

/** From nothing to the first call, each step with the same forms that the rest of the console uses. */
export function SetupPage() {
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [pickedApp, setPickedApp] = useState<string | null>(null);
  const [pickedIntegration, setPickedIntegration] = useState<string | null>(null);
  const [credential, setCredential] = useState<MadeCredential | null>(null);
  const app = apps.data?.find(({ id }) => id === pickedApp) ?? apps.data?.at(-1);
  const active = integrations.data?.filter(({ status }) => status === 'active');
  const integration = active?.find(({ id }) => id === pickedIntegration) ?? active?.at(-1);
  const grants = useQuery({
    ...grantsQuery({ integrationId: integration?.id ?? '', appId: app?.id ?? '' }),
    enabled: app !== undefined && integration !== undefined,
  });
  const credentials = useQuery({ ...credentialsQuery(integration?.id ?? ''), enabled: integration !== undefined });
  const isGranted = (grants.data?.length ?? 0) > 0;
  const close = (): void => setDialog(null);
  return (
    <Page title="Connect an integration" description="Five steps from nothing to the first call through the gateway.">
      <SpaceBetween size="l">
        <Step
          number={1}
          title="Add the app"
          text="The SaaS tool that is called. Its API description tells Cordon which operations there are; its credential stays with the gateway."
          isDone={app !== undefined}
          button="Add app"
          onAct={() => setDialog('app')}
        >
          {app ? (
            <Select
              ariaLabel="App"
              selectedOption={{ value: app.id, label: app.title }}
              options={(apps.data ?? []).map(({ id, title }) => ({ value: id, label: title }))}
              onChange={({ detail }) => setPickedApp(detail.selectedOption.value ?? null)}
            />
          ) : null}
        </Step>
        <Step
          number={2}
          title="Register the integration"
          text="The program, automation or agent that calls. It gets a name, an owner, a purpose and an end."
          isDone={integration !== undefined}
          isReady={app !== undefined}
          button="Register integration"
          onAct={() => setDialog('integration')}
        >
          {integration ? (
            <Select
              ariaLabel="Integration"
              selectedOption={{ value: integration.id, label: integration.name }}
              options={(active ?? []).map(({ id, name }) => ({ value: id, label: name }))}
              onChange={({ detail }) => {
                setPickedIntegration(detail.selectedOption.value ?? null);
                setCredential(null);
              }}
            />
          ) : null}
        </Step>
        <Step
          number={3}
          title="Grant what it needs"
          text="Whatever is not granted is refused, with the name of the operation and the policy."
          isDone={isGranted}
          isReady={app !== undefined && integration !== undefined}
          button="Grant operations"
          onAct={() => setDialog('grant')}
        />
        <Step
          number={4}
          title="Give it a credential"
          text="With it the integration asks for tokens. It never holds the vendor’s own secret."
          isDone={(credentials.data?.length ?? 0) > 0}
          isReady={integration !== undefined}
          button="Add credential"
          onAct={() => setDialog('credential')}
        />
        <Step
          number={5}
          title="Call through the gateway"
          text="Get a token, then call the app at the gateway’s address."
          isDone={false}
          isReady={app !== undefined && integration !== undefined}
        >
          {app && integration ? <FirstCall app={app} integration={integration} credential={credential} /> : null}
        </Step>
        {integration ? (
          <Box>
            Then watch it on the <RouteLink href="/">map</RouteLink> and on{' '}
            <RouteLink href={`/integrations/${integration.id}`}>its own page</RouteLink>.
          </Box>
        ) : null}
      </SpaceBetween>
      {dialog === 'app' ? <AppForm onClose={close} onDone={({ id }) => setPickedApp(id)} /> : null}
      {dialog === 'integration' ? (
        <IntegrationForm onClose={close} onDone={({ id }) => setPickedIntegration(id)} />
      ) : null}
      {dialog === 'grant' && integration && app ? (
        <GrantForm integration={integration} appId={app.id} onClose={close} />
      ) : null}
      {dialog === 'credential' && integration ? (
        <CredentialForm integration={integration} onClose={close} onMade={setCredential} />
      ) : null}
    </Page>
  );
}

function Step({
  number,
  title,
  text,
  isDone,
  isReady = true,
  button,
  onAct,
  children,
}: {
  readonly number: number;
  readonly title: string;
  readonly text: string;
  readonly isDone: boolean;
  readonly isReady?: boolean;
  readonly button?: string;
  readonly onAct?: () => void;
  readonly children?: ReactNode;
}) {
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={text}
          actions={
            button ? (
              <Button
                variant={isDone || !isReady ? 'normal' : 'primary'}
                disabled={!isReady}
                {...(onAct ? { onClick: onAct } : {})}
              >
                {button}
              </Button>
            ) : null
          }
          info={isDone ? <StatusIndicator type="success">Done</StatusIndicator> : null}
        >
          {number}. {title}
        </Header>
      }
    >
      {children}
    </Container>
  );
}
