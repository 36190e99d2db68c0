import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
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
import type { Backtest, RuleDetail } from '../api/wire.ts';
import { showCount } from '../display/number.ts';
import { eventsHref } from '../events/event-search.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { LevelBadge } from './AlertBadges.tsx';
import { RuleExceptionForm, RuleSwitch } from './RuleForms.tsx';
import { backtestQuery, ruleQuery } from './rule-queries.ts';
import { RuleState } from './RulesPage.tsx';

const DAY_MS = 86_400_000;
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const PARENTS = [{ text: 'Detections', href: '/detections' }];

/** One rule: what it means, how it did, what it would have done, and how it is tuned. */
export function RulePage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const rule = useQuery(ruleQuery(id));
  const [open, setOpen] = useState<'switch' | 'exception' | null>(null);
  if (!rule.data) {
    return (
      <Page title="Rule" parents={PARENTS}>
        <ProblemAlert error={rule.error} />
      </Page>
    );
  }
  const { data } = rule;
  const actions = can('detection.write') ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button onClick={() => setOpen('exception')}>Make an exception</Button>
      <Button onClick={() => setOpen('switch')}>{data.enabled ? 'Switch off' : 'Switch on'}</Button>
    </SpaceBetween>
  ) : null;
  return (
    <Page title={data.title} description={data.description} parents={PARENTS} actions={actions}>
      <SpaceBetween size="l">
        <Container header={<Header variant="h2">What it means</Header>}>
          <KeyValuePairs
            columns={3}
            items={[
              { label: 'Severity', value: <LevelBadge level={data.level} /> },
              { label: 'State', value: <RuleState isOn={data.enabled} /> },
              { label: 'Why it is so', value: data.setting?.reason ?? 'As it came' },
              { label: 'Why it matters', value: data.why || '-' },
              { label: 'What is normal', value: <Lines lines={data.falsePositives} /> },
              { label: 'First questions', value: <Lines lines={data.questions} /> },
              { label: 'Product', value: [data.product, data.service].filter(Boolean).join(' / ') || 'every' },
              { label: 'ATT&CK and tags', value: data.tags.join(', ') || '-' },
              { label: 'File', value: <Box variant="code">{data.file}</Box> },
            ]}
          />
        </Container>
        <Firings rule={data} />
        {data.kind === 'rule' ? <BacktestPanel id={data.id} /> : null}
        <Exceptions rule={data} />
        <Samples samples={data.samples} />
      </SpaceBetween>
      {open === 'switch' ? <RuleSwitch rule={data} onClose={() => setOpen(null)} /> : null}
      {open === 'exception' ? <RuleExceptionForm rule={data} onClose={() => setOpen(null)} /> : null}
    </Page>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return lines.length === 0 ? '-' : lines.map((line) => <div key={line}>{line}</div>);
}

function Firings({ rule }: { readonly rule: RuleDetail }) {
  const days = rule.firings.filter(({ signals }) => signals > 0).toReversed();
  const total = days.reduce((sum, { signals }) => sum + signals, 0);
  return (
    <Table
      variant="container"
      contentDensity="compact"
      items={days}
      trackBy={({ day: at }) => String(at)}
      ariaLabels={{ tableLabel: 'Firings' }}
      header={
        <Header
          variant="h2"
          counter={`(${showCount(total)})`}
          description="Signals of the last thirty days, whether or not they became an alert."
        >
          Firings
        </Header>
      }
      columnDefinitions={[
        {
          id: 'day',
          header: 'Day (UTC)',
          isRowHeader: true,
          cell: ({ day: at }) => (
            <RouteLink href={eventsHref({ q: `class:detection-finding rule:"${rule.id}"`, from: at, to: at + DAY_MS })}>
              {day(at)}
            </RouteLink>
          ),
        },
        { id: 'signals', header: 'Signals', cell: ({ signals }) => showCount(signals) },
      ]}
      empty={<Box color="text-body-secondary">It has not fired in the last thirty days.</Box>}
    />
  );
}

function BacktestPanel({ id }: { readonly id: string }) {
  const [isAsked, setAsked] = useState(false);
  const backtest = useQuery(backtestQuery(id, isAsked));
  const { data } = backtest;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="The rule over everything that the lake holds of the last thirty days."
          actions={
            <Button
              loading={backtest.isFetching}
              onClick={() => {
                setAsked(true);
                if (isAsked) void backtest.refetch();
              }}
            >
              Run backtest
            </Button>
          }
        >
          Backtest
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={backtest.error} />
        {data?.warning ? (
          <Alert type="warning" header="It would have fired too often">
            {data.warning}
          </Alert>
        ) : null}
        {data ? <BacktestResult data={data} /> : <Box color="text-body-secondary">Not run yet.</Box>}
      </SpaceBetween>
    </Container>
  );
}

function BacktestResult({ data }: { readonly data: Backtest }) {
  return (
    <Table<Backtest['events'][number]>
      variant="embedded"
      contentDensity="compact"
      wrapLines
      items={data.events}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Backtest' }}
      header={
        <Header variant="h3">
          {`${showCount(data.hits)} signals on ${data.days.length} days, at most ${showCount(data.alerts)} alerts`}
        </Header>
      }
      columnDefinitions={[
        {
          id: 'at',
          header: 'When (UTC)',
          cell: (row) => (
            <RouteLink href={eventsHref({ q: `id:${row.id}`, from: data.from, to: data.to, event: row.id })}>
              {new Date(row.at).toISOString().slice(0, 19).replace('T', ' ')}
            </RouteLink>
          ),
        },
        { id: 'what', header: 'What', isRowHeader: true, cell: (row) => row.summary || row.id },
      ]}
      empty={<Box color="text-body-secondary">It would not have fired.</Box>}
    />
  );
}

function Exceptions({ rule }: { readonly rule: RuleDetail }) {
  const can = useCan();
  const end = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/detection-exceptions/{id}', { params: { path: { id } } })),
    done: 'The exception ended.',
    changes: [['detections'], ['audit']],
  });
  return (
    <Table<RuleDetail['exceptions'][number]>
      variant="container"
      wrapLines
      items={rule.exceptions}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Exceptions' }}
      header={
        <Header variant="h2" counter={`(${rule.exceptions.length})`}>
          Exceptions
        </Header>
      }
      columnDefinitions={[
        { id: 'about', header: 'About', isRowHeader: true, cell: (row) => row.entityKey ?? 'everybody' },
        { id: 'reason', header: 'Reason', cell: (row) => row.reason },
        { id: 'by', header: 'Made by', cell: (row) => row.createdBy },
        { id: 'ends', header: 'Ends (UTC)', cell: (row) => day(row.expiresAt) },
        {
          id: 'end',
          header: '',
          cell: (row) =>
            can('detection.write') ? (
              <Button variant="inline-link" onClick={() => end.mutate(row.id)}>
                End now
              </Button>
            ) : null,
        },
      ]}
      empty={<Box color="text-body-secondary">There are none.</Box>}
    />
  );
}

function Samples({ samples }: { readonly samples: RuleDetail['samples'] }) {
  if (!samples) return null;
  const groups = [
    { title: 'It fires on', records: samples.fires },
    { title: 'It stays quiet on', records: samples.quiet },
  ];
  return (
    <Container header={<Header variant="h2">Samples</Header>}>
      {groups.map(({ title, records }) => (
        <ExpandableSection key={title} headerText={`${title} (${records.length})`}>
          {records.map((record, at) => (
            // oxlint-disable-next-line react/no-array-index-key -- samples have no name and never move
            <pre key={at} style={{ overflowX: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {JSON.stringify(record, null, 2)}
            </pre>
          ))}
        </ExpandableSection>
      ))}
    </Container>
  );
}
