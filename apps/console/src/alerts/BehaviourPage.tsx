import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { BehaviourEntity } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type BehaviourView, featureName, riskiestQuery, TYPE_NAMES } from './behaviour-queries.ts';

const VIEWS: readonly { readonly value: BehaviourView; readonly label: string }[] = [
  { value: 'all', label: 'Everything' },
  ...(Object.entries(TYPE_NAMES) as [BehaviourEntity['type'], string][]).map(([value, label]) => ({ value, label })), // the keys are the type
];

/** Who behaves unlike themselves and their peers, the riskiest first. */
export function BehaviourPage() {
  const [view, setView] = useState<BehaviourView>('all');
  const riskiest = useQuery(riskiestQuery(view));
  const items = riskiest.data ?? [];
  return (
    <Page title="Behaviour" description="Who behaves unlike themselves and their peers, the riskiest first.">
      <SpaceBetween size="m">
        <ProblemAlert error={riskiest.error} />
        <Table<BehaviourEntity>
          variant="container"
          wrapLines
          loading={riskiest.isPending}
          loadingText="Loading scores"
          items={items}
          trackBy="key"
          ariaLabels={{ tableLabel: 'Riskiest' }}
          header={
            <Header
              variant="h2"
              counter={`(${items.length})`}
              actions={
                <Select
                  ariaLabel="Kind"
                  options={VIEWS}
                  selectedOption={VIEWS.find(({ value }) => value === view) ?? null}
                  onChange={({ detail }) =>
                    setView(VIEWS.find(({ value }) => value === detail.selectedOption.value)?.value ?? 'all')
                  }
                />
              }
            >
              Riskiest
            </Header>
          }
          columnDefinitions={[
            { id: 'score', header: 'Score', cell: (row) => <ScoreBadge score={row.score} /> },
            {
              id: 'name',
              header: 'Who',
              isRowHeader: true,
              cell: (row) => (
                <RouteLink href={`/behaviour/${encodeURIComponent(row.key)}`}>
                  {row.name === '' ? row.id : row.name}
                </RouteLink>
              ),
            },
            { id: 'type', header: 'Kind', cell: (row) => TYPE_NAMES[row.type] },
            { id: 'why', header: 'Why', cell: (row) => row.reasons.map(featureName).join(', ') || '-' },
            { id: 'state', header: 'Baseline', cell: (row) => <BaselineState state={row.state} /> },
            { id: 'last', header: 'Last active', cell: (row) => <Ago at={row.lastAt} /> },
          ]}
          empty={
            <Box color="text-body-secondary">Nothing was judged yet: baselines grow from the events that come in.</Box>
          }
        />
      </SpaceBetween>
    </Page>
  );
}

const HIGH = 5;
const MEDIUM = 2.75;

export function ScoreBadge({ score }: { readonly score: number }) {
  return (
    <Badge color={score >= HIGH ? 'severity-high' : score >= MEDIUM ? 'severity-medium' : 'severity-neutral'}>
      {score.toFixed(1)}
    </Badge>
  );
}

export function BaselineState({ state }: { readonly state: BehaviourEntity['state'] }) {
  return state === 'known' ? (
    <StatusIndicator type="success">Known</StatusIndicator>
  ) : (
    <StatusIndicator type="pending">Learning</StatusIndicator>
  );
}
