import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { AccessTab } from '../access/AccessTab.tsx';
import { ExchangePolicies } from '../approvals/ExchangePolicies.tsx';
import { AuditList } from '../admin/AuditList.tsx';
import { integrationQuery } from '../api/estate-queries.ts';
import type { Integration } from '../api/wire.ts';
import { showTime } from '../display/time.ts';
import { EventList } from '../events/EventList.tsx';
import { quoteValue } from '../events/query-text.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { TrafficTab } from '../traffic/TrafficTab.tsx';
import { CredentialTable } from './CredentialTable.tsx';
import { CutOffProgress } from './CutOffProgress.tsx';
import { GrantTable } from './GrantTable.tsx';
import { IntegrationEdit } from './IntegrationEdit.tsx';
import { IntegrationFacts } from './IntegrationFacts.tsx';
import { OffSwitch, type Switch } from './OffSwitch.tsx';

export function IntegrationPage() {
  const { id } = useParams({ from: '/inside/integrations/$id' });
  const integration = useQuery(integrationQuery(id));
  return <QueryState query={integration}>{(data) => <OneIntegration integration={data} />}</QueryState>;
}

function OneIntegration({ integration }: { readonly integration: Integration }) {
  const can = useCan();
  const [turn, setTurn] = useState<Switch | null>(null);
  const [isEditing, setEditing] = useState(false);
  const query = `integration:${quoteValue(integration.id)}`;
  const isActive = integration.status === 'active';
  return (
    <Page
      title={integration.name}
      description={integration.purpose}
      parents={[{ text: 'Integrations', href: '/integrations' }]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {can('graph.read') ? <Button href={`/graph?node=integration:${integration.id}`}>Blast radius</Button> : null}
          {can('integration.write') ? <Button onClick={() => setEditing(true)}>Edit</Button> : null}
          {!isActive && can('integration.restore') ? <Button onClick={() => setTurn('restore')}>Restore</Button> : null}
          {isActive && can('integration.revoke') ? <Button onClick={() => setTurn('suspend')}>Suspend</Button> : null}
          {integration.status !== 'revoked' && can('integration.revoke') ? (
            <Button variant="primary" iconName="lock-private" onClick={() => setTurn('revoke')}>
              Cut off
            </Button>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="l">
        {isActive ? null : (
          <Alert
            type={integration.status === 'revoked' ? 'error' : 'warning'}
            header={
              integration.status === 'revoked' ? 'Cut off: every call is refused' : 'Suspended: every call is refused'
            }
          >
            {integration.statusReason ?? 'No reason was given.'} ({showTime(integration.statusAt)})
          </Alert>
        )}
        {isActive ? null : <CutOffProgress integrationId={integration.id} />}
        <IntegrationFacts integration={integration} />
        <Tabs
          tabs={[
            {
              id: 'traffic',
              label: 'Traffic',
              content: (
                <SpaceBetween size="l">
                  <TrafficTab query={query} by="operation" />
                  <EventList title="Recent events" query={query} limit={15} isWide />
                </SpaceBetween>
              ),
            },
            { id: 'grants', label: 'Grants', content: <GrantTable integration={integration} /> },
            ...(can('access.read')
              ? [{ id: 'access', label: 'Least privilege', content: <AccessTab integrationId={integration.id} /> }]
              : []),
            { id: 'credentials', label: 'Credentials', content: <CredentialTable integration={integration} /> },
            { id: 'exchange', label: 'Token exchange', content: <ExchangePolicies integration={integration} /> },
            ...(can('audit.read')
              ? [
                  {
                    id: 'history',
                    label: 'History',
                    content: <AuditList title="History" target={{ type: 'integration', id: integration.id }} />,
                  },
                ]
              : []),
          ]}
        />
      </SpaceBetween>
      {turn ? <OffSwitch integration={integration} turn={turn} onClose={() => setTurn(null)} /> : null}
      {isEditing ? <IntegrationEdit integration={integration} onClose={() => setEditing(false)} /> : null}
    </Page>
  );
}
