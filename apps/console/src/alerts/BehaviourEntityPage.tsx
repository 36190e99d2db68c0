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
import type { BehaviourDetail } from '../api/wire.ts';
import { eventsHref } from '../events/event-search.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { TrafficTab } from '../traffic/TrafficTab.tsx';
import { BaselineState, ScoreBadge } from './BehaviourPage.tsx';
import { FeedbackDialog } from './FeedbackDialog.tsx';
import { FeedbackTable } from './FeedbackTable.tsx';
import { behaviourQuery, featureName, TYPE_NAMES } from './behaviour-queries.ts';

type Day = BehaviourDetail['days'][number];
export type BehaviourTerm = Day['terms'][number];

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 30;

/** One entity: what its score is made of, what people said about it, and everything that it did. */
export function BehaviourEntityPage() {
  const { key } = useParams({ from: '/inside/behaviour/$key' });
  return <QueryState query={useQuery(behaviourQuery(key))}>{(entity) => <Details entity={entity} />}</QueryState>;
}

function Details({ entity }: { readonly entity: BehaviourDetail }) {
  const to = Date.now() + DAY_MS;
  const everything = eventsHref({ q: entity.query, from: to - HISTORY_DAYS * DAY_MS, to });
  return (
    <Page
      title={entity.name === '' ? entity.id : entity.name}
      parents={[{ text: 'Behaviour', href: '/behaviour' }]}
      actions={<RouteLink href={everything}>Everything it did</RouteLink>}
    >
      <SpaceBetween size="l">
        <Container>
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'Score', value: <ScoreBadge score={entity.score} /> },
              { label: 'Kind', value: TYPE_NAMES[entity.type] },
              { label: 'Baseline', value: <Baseline entity={entity} /> },
              { label: 'Criticality', value: `× ${entity.criticality}` },
              { label: 'Id', value: entity.id },
              {
                label: 'Peers',
                value:
                  entity.peers
                    .slice(0, 5)
                    .map(({ id }) => id)
                    .join(', ') || 'none alike',
              },
            ]}
          />
        </Container>
        {entity.days
          .filter(({ terms }) => terms.length > 0)
          .map((day) => (
            <DayTerms key={day.day} entity={entity} day={day} />
          ))}
        {entity.days.every(({ terms }) => terms.length === 0) ? (
          <Container>
            <Box color="text-body-secondary">Nothing unusual in the last {HISTORY_DAYS} days.</Box>
          </Container>
        ) : null}
        <FeedbackTable entity={entity} />
        <TrafficTab query={entity.query} by="operation" />
      </SpaceBetween>
    </Page>
  );
}

function Baseline({ entity }: { readonly entity: BehaviourDetail }) {
  if (entity.state === 'known') return <BaselineState state="known" />;
  return (
    <>
      <BaselineState state="learning" />
      <Box variant="small">
        alerts after {entity.learning.days} days with {entity.learning.activeDays} active ones
      </Box>
    </>
  );
}

const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString() : value.toLocaleString(undefined, { maximumSignificantDigits: 2 });

function peersText({ peers }: BehaviourTerm): string {
  if (peers.organisation !== null) {
    const share = (one: number): string => `${Math.round(one * 100)}%`;
    const own = peers.usual === null ? '' : `${share(peers.usual)} of ${peers.count} peers, `;
    return `${own}${share(peers.organisation)} of all`;
  }
  return peers.usual === null ? '-' : `usually ${round(peers.usual)} (${peers.count})`;
}

function baselineText({ feature, baseline }: BehaviourTerm): string {
  if (feature === 'signals') return '-';
  if (feature === 'hour') return `active then in ${Math.round(baseline.usual * 100)}% of weeks`;
  if (feature.startsWith('new-')) return `${round(baseline.usual)} new a day, ${baseline.days} days`;
  const borrowed = baseline.borrowed > 0.05 ? `, ${Math.round(baseline.borrowed * 100)}% from peers` : '';
  return `usually ${round(baseline.usual)}, up to ${round(baseline.high)}; ${baseline.days} days${borrowed}`;
}

function DayTerms({ entity, day }: { readonly entity: BehaviourDetail; readonly day: Day }) {
  const can = useCan();
  const [about, setAbout] = useState<BehaviourTerm | null>(null);
  const name = new Date(day.day).toISOString().slice(0, 10);
  return (
    <>
      <Table<BehaviourTerm>
        variant="container"
        contentDensity="compact"
        wrapLines
        items={day.terms}
        trackBy="feature"
        ariaLabels={{ tableLabel: `Terms of ${name}` }}
        header={
          <Header
            variant="h2"
            description={`This day brings ${day.score.toFixed(1)}; half of it is left after 3 days.`}
          >
            {name} (UTC)
          </Header>
        }
        columnDefinitions={[
          { id: 'adds', header: 'Adds', cell: (row) => row.contribution.toFixed(1) },
          { id: 'feature', header: 'What is unusual', isRowHeader: true, cell: (row) => featureName(row.feature) },
          { id: 'value', header: 'Seen', cell: (row) => row.value },
          { id: 'baseline', header: 'Baseline', cell: baselineText },
          { id: 'peers', header: 'Peers', cell: peersText },
          { id: 'chance', header: 'Chance', cell: (row) => `1 in ${round(1 / row.probability)}` },
          {
            id: 'events',
            header: 'Events',
            cell: (row) => (
              <RouteLink href={eventsHref({ q: row.query, from: row.from, to: row.to })}>Show events</RouteLink>
            ),
          },
          ...(can('detection.write')
            ? [
                {
                  id: 'feedback',
                  header: 'Was it expected?',
                  cell: (row: BehaviourTerm) =>
                    row.feature === 'signals' ? null : (
                      <Button
                        variant="inline-link"
                        ariaLabel={`Say about ${featureName(row.feature)}`}
                        onClick={() => setAbout(row)}
                      >
                        {row.feedback === undefined ? 'Say' : 'Said before'}
                      </Button>
                    ),
                },
              ]
            : []),
        ]}
      />
      {about ? <FeedbackDialog entity={entity} term={about} day={day.day} onClose={() => setAbout(null)} /> : null}
    </>
  );
}
