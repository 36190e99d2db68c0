import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { EventList } from '../events/EventList.tsx';
import { eventsHref } from '../events/event-search.ts';
import { quoteValue } from '../events/query-text.ts';
import type { EstateMap } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { showBytes, showCount, showMs } from '../display/number.ts';
import { IntegrationStatus } from '../integrations/IntegrationStatus.tsx';
import { useFollow } from '../shell/follow.ts';
import { RouteLink } from '../shell/RouteLink.tsx';
import { EDGE_INDICATOR } from './MapTable.tsx';
import { EDGE_STATE_TEXT, edgeId, edgeState, type Selection, sumEdges } from './map-model.ts';

interface DetailsProps {
  readonly map: EstateMap;
  readonly selection: Selection;
  readonly windowMs: number;
}

export function selectionTitle(map: EstateMap, selection: Selection): string {
  const names = new Map([
    ...map.integrations.map(({ id, name }) => [id, name] as const),
    ...map.apps.map(({ id, title }) => [id, title] as const),
  ]);
  const [first = '', second = ''] = selection.id.split('|');
  return selection.kind === 'edge' ? `${names.get(first)} → ${names.get(second)}` : (names.get(first) ?? '');
}

/** What the panel says about the node or edge that was picked. */
export function MapDetails({ map, selection, windowMs }: DetailsProps) {
  const query = queryOf(selection);
  const follow = useFollow();
  return (
    <SpaceBetween size="l">
      {selection.kind === 'edge' ? (
        <EdgeFacts map={map} id={selection.id} />
      ) : (
        <NodeFacts map={map} selection={selection} />
      )}
      <SpaceBetween size="xs" direction="horizontal">
        {selection.kind === 'edge' ? null : (
          <Button
            href={`/${selection.kind === 'app' ? 'apps' : 'integrations'}/${selection.id}`}
            variant="primary"
            onFollow={follow}
          >
            {selection.kind === 'app' ? 'Open app' : 'Open integration'}
          </Button>
        )}
        <Button href={eventsHref({ q: query, window: windowMs })} onFollow={follow}>
          Events
        </Button>
        <Button href={eventsHref({ q: `${query} decision:deny`, window: windowMs })} onFollow={follow}>
          Refusals
        </Button>
      </SpaceBetween>
      <EventList title="Latest events" query={query} limit={8} />
    </SpaceBetween>
  );
}

function queryOf(selection: Selection): string {
  if (selection.kind !== 'edge') return `${selection.kind}:${quoteValue(selection.id)}`;
  const [integration = '', app = ''] = selection.id.split('|');
  return `integration:${quoteValue(integration)} app:${quoteValue(app)}`;
}

function EdgeFacts({ map, id }: { readonly map: EstateMap; readonly id: string }) {
  const edge = map.edges.find((one) => edgeId(one) === id);
  if (!edge) return <Box>This connection is gone: nothing is granted any more, and nothing called.</Box>;
  const integration = map.integrations.find((one) => one.id === edge.integrationId);
  const app = map.apps.find((one) => one.id === edge.appId);
  const state = edgeState(edge);
  return (
    <KeyValuePairs
      columns={2}
      items={[
        {
          label: 'State',
          value: <StatusIndicator type={EDGE_INDICATOR[state]}>{EDGE_STATE_TEXT[state]}</StatusIndicator>,
        },
        { label: 'Granted', value: edge.granted ? 'Yes' : 'No' },
        {
          label: 'Integration',
          value: <RouteLink href={`/integrations/${edge.integrationId}`}>{integration?.name}</RouteLink>,
        },
        { label: 'App', value: <RouteLink href={`/apps/${edge.appId}`}>{app?.title}</RouteLink> },
        { label: 'Calls', value: showCount(edge.calls) },
        { label: 'Refused', value: showCount(edge.refusals) },
        { label: 'Redacted', value: showCount(edge.redacted) },
        { label: 'Errors', value: showCount(edge.errors) },
        { label: 'Latency, median', value: showMs(edge.latencyP50) },
        { label: 'Latency, p95', value: showMs(edge.latencyP95) },
        { label: 'Sent', value: showBytes(edge.requestBytes) },
        { label: 'Received', value: showBytes(edge.responseBytes) },
        { label: 'Last call', value: <Ago at={edge.lastAt} /> },
      ]}
    />
  );
}

function NodeFacts({ map, selection }: { readonly map: EstateMap; readonly selection: Selection }) {
  const touching = map.edges.filter(({ appId, integrationId }) => [appId, integrationId].includes(selection.id));
  const sum = sumEdges(touching);
  const integration = map.integrations.find(({ id }) => id === selection.id);
  const app = map.apps.find(({ id }) => id === selection.id);
  const state = integration
    ? { label: 'Status', value: <IntegrationStatus status={integration.status} /> }
    : { label: 'Credential', value: app?.hasCredential ? 'Stored' : 'None: calls are sent without one' };
  return (
    <KeyValuePairs
      columns={2}
      items={[
        state,
        { label: integration ? 'Apps' : 'Integrations', value: showCount(touching.length) },
        { label: 'Calls', value: showCount(sum.calls) },
        { label: 'Refused', value: showCount(sum.refusals) },
        { label: 'Redacted', value: showCount(sum.redacted) },
        { label: 'Last call', value: <Ago at={sum.lastAt} /> },
      ]}
    />
  );
}
