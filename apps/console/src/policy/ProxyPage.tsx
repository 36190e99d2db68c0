import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { EventList } from '../events/EventList.tsx';
import { eventsHref } from '../events/event-search.ts';
import { quoteValue } from '../events/query-text.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';

const PASSAGES = 'unmapped.cordon.proxy.way:*';
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const POLL_MS = 10_000;
const UNKNOWN = [
  { value: 'refuse', label: 'Refuse and record' },
  { value: 'observe', label: 'Let through and record' },
] as const;
const SNI = [
  { value: 'match', label: 'Must be the host that was asked for' },
  { value: 'any', label: 'May be any' },
] as const;

interface Settings {
  readonly unknown: 'refuse' | 'observe';
  readonly sni: 'match' | 'any';
  readonly ports: readonly number[];
  readonly certificate: string;
}

/** Where integrations went through the forward proxy, and what happens to destinations that belong to no app. */
export function ProxyPage() {
  const proxy = useQuery({ queryKey: ['proxy'], queryFn: async () => taken(await api.GET('/api/v1/proxy')) });
  return (
    <Page
      title="Forward proxy"
      description="For clients that only know HTTPS_PROXY. Every destination becomes an event."
    >
      <SpaceBetween size="l">
        <QueryState query={proxy}>{(settings) => <SettingsPanel settings={settings} />}</QueryState>
        <Destinations />
        <EventList title="Connections" query={PASSAGES} limit={20} isWide />
      </SpaceBetween>
    </Page>
  );
}

function SettingsPanel({ settings }: { readonly settings: Settings }) {
  const canWrite = useCan()('policy.write');
  const save = useCommand({
    run: async (body: Partial<Pick<Settings, 'unknown' | 'sni'>>) => taken(await api.PATCH('/api/v1/proxy', { body })),
    done: 'The change is on its way to the gateways.',
    changes: [['proxy'], ['audit']],
  });
  const href = `data:application/x-pem-file,${encodeURIComponent(settings.certificate)}`;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={`Unknown destinations are reached on port ${settings.ports.join(', ')} only. What an app’s own hosts do is set on its page.`}
          actions={
            <Button href={href} download="cordon-proxy-ca.pem" iconName="download">
              Download CA certificate
            </Button>
          }
        >
          Policy
        </Header>
      }
    >
      <ColumnLayout columns={2}>
        <FormField label="Destinations that belong to no app">
          <Select
            disabled={!canWrite || save.isPending}
            selectedOption={UNKNOWN.find(({ value }) => value === settings.unknown) ?? null}
            options={UNKNOWN}
            onChange={({ detail }) => save.mutate({ unknown: detail.selectedOption.value as Settings['unknown'] })} // one of UNKNOWN
          />
        </FormField>
        <FormField label="Name in the TLS handshake">
          <Select
            disabled={!canWrite || save.isPending}
            selectedOption={SNI.find(({ value }) => value === settings.sni) ?? null}
            options={SNI}
            onChange={({ detail }) => save.mutate({ sni: detail.selectedOption.value as Settings['sni'] })} // one of SNI
          />
        </FormField>
      </ColumnLayout>
    </Container>
  );
}

function Destinations() {
  const isAllowed = useCan()('event.read');
  const hosts = useQuery({
    queryKey: ['proxy', 'destinations'],
    queryFn: async () => {
      const query = { query: PASSAGES, from: Date.now() - WEEK_MS, fields: 'host' };
      return taken(await api.GET('/api/v1/events/facets', { params: { query } })).fields['host'] ?? [];
    },
    refetchInterval: POLL_MS,
    enabled: isAllowed,
  });
  if (!isAllowed) return null;
  return (
    <Table
      loading={hosts.isPending}
      loadingText="Loading destinations"
      header={<Header variant="h2">Destinations of the last 7 days</Header>}
      items={hosts.data ?? []}
      trackBy="value"
      empty={<Box color="text-body-secondary">Nobody went through the proxy yet.</Box>}
      columnDefinitions={[
        {
          id: 'host',
          header: 'Host',
          isRowHeader: true,
          cell: ({ value }) => (
            <RouteLink href={eventsHref({ q: `${PASSAGES} AND host:${quoteValue(value)}`, window: WEEK_MS })}>
              {value}
            </RouteLink>
          ),
        },
        { id: 'count', header: 'Connections', cell: ({ count }) => count },
      ]}
    />
  );
}
