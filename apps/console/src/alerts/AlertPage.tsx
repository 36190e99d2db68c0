import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { AlertDetail } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { eventsHref } from '../events/event-search.ts';
import { useCan, useSession } from '../session/session-query.ts';
import { AlertCases } from '../incidents/AlertCases.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { AlertStatus, LevelBadge } from './AlertBadges.tsx';
import { AlertComments } from './AlertComments.tsx';
import { CloseAlert } from './CloseAlert.tsx';
import { alertQuery, detectionsQuery } from './alert-queries.ts';

const AROUND_MS = 3_600_000;

export function AlertPage() {
  const { id } = useParams({ from: '/inside/alerts/$id' });
  return <QueryState query={useQuery(alertQuery(id))}>{(alert) => <Details alert={alert} />}</QueryState>;
}

function Details({ alert }: { readonly alert: AlertDetail }) {
  const can = useCan();
  const name = useSession()?.actor?.name;
  const [isClosing, setClosing] = useState(false);
  const acknowledge = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/alerts/{id}', {
          params: { path: { id: alert.id } },
          body: { status: 'acknowledged', ...(name === undefined ? {} : { assignee: name }) },
        }),
      ),
    done: 'The alert is yours.',
    changes: [['alerts'], ['audit']],
  });
  const isMine = can('alert.write') && alert.status !== 'closed';
  return (
    <Page
      title={alert.title}
      parents={[{ text: 'Alerts', href: '/alerts' }]}
      actions={
        isMine ? (
          <SpaceBetween direction="horizontal" size="xs">
            {alert.status === 'open' ? (
              <Button loading={acknowledge.isPending} onClick={() => acknowledge.mutate(undefined)}>
                Acknowledge
              </Button>
            ) : null}
            <Button variant="primary" onClick={() => setClosing(true)}>
              Close
            </Button>
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={acknowledge.error} />
        <Facts alert={alert} />
        <Guidance ruleId={alert.ruleId} />
        <AlertCases alert={alert} />
        <Timeline alert={alert} />
        <AlertComments alert={alert} isWritable={can('alert.write')} />
      </SpaceBetween>
      {isClosing ? <CloseAlert id={alert.id} onClose={() => setClosing(false)} /> : null}
    </Page>
  );
}

function Facts({ alert }: { readonly alert: AlertDetail }) {
  const { entity } = alert;
  const who =
    entity.type === 'integration' ? (
      <RouteLink href={`/integrations/${entity.id}`}>{entity.name}</RouteLink>
    ) : (
      `${entity.name} (${entity.type})`
    );
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Severity', value: <LevelBadge level={alert.level} /> },
          { label: 'Status', value: <AlertStatus alert={alert} /> },
          { label: 'Who', value: who },
          { label: 'Assigned to', value: alert.assignee ?? '-' },
          { label: 'Signals', value: alert.signals },
          { label: 'First seen', value: <Ago at={alert.firstAt} /> },
          { label: 'Last seen', value: <Ago at={alert.lastAt} /> },
          { label: 'Event to alert', value: `${(alert.delayMs / 1_000).toFixed(1)} s` },
        ]}
      />
    </Container>
  );
}

function Guidance({ ruleId }: { readonly ruleId: string }) {
  const detections = useQuery(detectionsQuery);
  const rule = detections.data?.find(({ id }) => id === ruleId);
  if (!rule) return null;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={<RouteLink href={`/detections/${encodeURIComponent(rule.id)}`}>Tune this rule</RouteLink>}
        >
          What it means
        </Header>
      }
    >
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'What', value: rule.description },
          { label: 'Why it matters', value: rule.why },
          { label: 'What is normal', value: <Lines lines={rule.falsePositives} /> },
          { label: 'First questions', value: <Lines lines={rule.questions} /> },
        ]}
      />
    </Container>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <ul style={{ margin: 0, paddingInlineStart: '1.2em' }}>
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Timeline({ alert }: { readonly alert: AlertDetail }) {
  return (
    <Table<AlertDetail['timeline'][number]>
      variant="container"
      items={alert.timeline}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Timeline' }}
      header={
        <Header variant="h2" counter={`(${alert.signals})`}>
          Timeline
        </Header>
      }
      columnDefinitions={[
        { id: 'at', header: 'When', isRowHeader: true, cell: (row) => <Ago at={row.at} /> },
        {
          id: 'events',
          header: 'Events',
          cell: (row) => (
            <SpaceBetween direction="horizontal" size="xs">
              {row.eventIds.slice(0, 10).map((event, index) => (
                <RouteLink
                  key={event}
                  href={eventsHref({ q: `id:${event}`, from: row.at - AROUND_MS * 24, to: row.at + AROUND_MS, event })}
                >
                  Event {index + 1}
                </RouteLink>
              ))}
              {row.eventIds.length > 10 ? <Box>and {row.eventIds.length - 10} more</Box> : null}
            </SpaceBetween>
          ),
        },
      ]}
    />
  );
}
