import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { AuditList } from '../admin/AuditList.tsx';
import { GraphqlPanel } from '../agents/GraphqlPanel.tsx';
import { McpTools } from '../agents/McpTools.tsx';
import { api } from '../api/api-client.ts';
import { appQuery } from '../api/estate-queries.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { quoteValue } from '../events/query-text.ts';
import { EventList } from '../events/EventList.tsx';
import { LearningPanel } from '../learning/LearningPanel.tsx';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { TrafficTab } from '../traffic/TrafficTab.tsx';
import { WebhookTable } from '../webhooks/WebhookTable.tsx';
import { VaultPanel } from '../vault/VaultPanel.tsx';
import { AppFacts } from './AppFacts.tsx';
import { AppSettings } from './AppSettings.tsx';
import { AppUsers } from './AppUsers.tsx';
import { CertificateAlert, CertificatePanel } from './CertificatePanel.tsx';
import { InjectionPanel } from './InjectionPanel.tsx';
import { OperationTable } from './OperationTable.tsx';
import { ReplaceCredential, ReplaceDescription } from './ReplaceParts.tsx';

type Dialog = 'credential' | 'description' | 'remove';

export function AppPage() {
  const { id } = useParams({ from: '/inside/apps/$id' });
  const app = useQuery(appQuery(id));
  return <QueryState query={app}>{(data) => <OneApp app={data} />}</QueryState>;
}

function OneApp({ app }: { readonly app: App }) {
  const can = useCan();
  const go = useGo();
  const [tab, setTab] = useState(() => new URLSearchParams(window.location.search).get('tab') ?? 'traffic');
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const query = `app:${quoteValue(app.id)}`;
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/apps/{id}', { params: { path: { id } } })),
    done: `${app.title} is removed.`,
    changes: [['map'], ['grants']],
    onDone: () => go('/apps'),
  });
  const close = (): void => setDialog(null);
  return (
    <Page
      title={app.title}
      description={app.settings.upstream}
      parents={[{ text: 'Apps', href: '/apps' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {can('credential.write') ? (
            <Button onClick={() => setDialog('credential')}>
              {app.credential ? 'Replace credential' : 'Add credential'}
            </Button>
          ) : null}
          {can('app.write') ? (
            <ButtonDropdown
              items={[
                { id: 'description', text: app.description ? 'Replace description' : 'Add description' },
                { id: 'remove', text: 'Remove app' },
              ]}
              onItemClick={({ detail }) => setDialog(detail.id as Dialog)} // one of the items
            >
              Actions
            </ButtonDropdown>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        <CertificateAlert appId={app.id} />
        <AppFacts app={app} />
        <Tabs
          activeTabId={tab}
          onChange={({ detail }) => setTab(detail.activeTabId)}
          tabs={[
            {
              id: 'traffic',
              label: 'Traffic',
              content: (
                <SpaceBetween size="l">
                  <TrafficTab query={query} by="integration" />
                  <EventList title="Recent events" query={query} limit={15} isWide />
                </SpaceBetween>
              ),
            },
            ...(app.settings.mcp ? [{ id: 'tools', label: 'Tools', content: <McpTools app={app} /> }] : []),
            ...(app.settings.graphql ? [{ id: 'graphql', label: 'GraphQL', content: <GraphqlPanel app={app} /> }] : []),
            { id: 'operations', label: 'Operations', content: <OperationTable appId={app.id} /> },
            ...(app.settings.mcp || app.settings.graphql
              ? []
              : [{ id: 'learning', label: 'Learning', content: <LearningPanel app={app} /> }]),
            { id: 'integrations', label: 'Integrations', content: <AppUsers appId={app.id} /> },
            { id: 'webhooks', label: 'Webhooks', content: <WebhookTable appId={app.id} /> },
            { id: 'credentials', label: 'Credentials', content: <VaultPanel app={app} /> },
            { id: 'certificates', label: 'Certificates', content: <CertificatePanel appId={app.id} /> },
            { id: 'injection', label: 'Injection', content: <InjectionPanel app={app} /> },
            { id: 'settings', label: 'Settings', content: <AppSettings key={app.updatedAt} app={app} /> },
            ...(can('audit.read')
              ? [
                  {
                    id: 'history',
                    label: 'History',
                    content: <AuditList title="History" target={{ type: 'app', id: app.id }} />,
                  },
                ]
              : []),
          ]}
        />
      </SpaceBetween>
      {dialog === 'credential' ? <ReplaceCredential app={app} onClose={close} /> : null}
      {dialog === 'description' ? <ReplaceDescription app={app} onClose={close} /> : null}
      {dialog === 'remove' ? (
        <Confirm
          title={`Remove ${app.title}?`}
          text="Its grants and its credential go with it, and every call to it is refused. Its events stay."
          button="Remove app"
          command={remove}
          input={app.id}
          onClose={close}
        />
      ) : null}
    </Page>
  );
}
