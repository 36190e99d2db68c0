import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showDay } from '../display/time.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { scoreHistoryQuery, scoreQuery, type ScoreRow, type Weighed } from './insight-queries.ts';
import { VendorContradictions } from './VendorContradictions.tsx';

const signed = (points: number): string => (points > 0 ? `+${points}` : String(points));

/** A vendor's score: the terms that it is the sum of, what contradicts answers, what if, and how it went. */
export function VendorScore({ vendorId }: { readonly vendorId: string }) {
  const weighed = useQuery(scoreQuery(vendorId));
  return <QueryState query={weighed}>{(data) => <OneScore vendorId={vendorId} weighed={data} />}</QueryState>;
}

function OneScore({ vendorId, weighed }: { readonly vendorId: string; readonly weighed: Weighed }) {
  const { score, contradictions, weights } = weighed;
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Score', value: <Box variant="h2" tagOverride="p">{`${score.residual} of 100`}</Box> },
          { label: 'Inherent', value: `${score.inherent} of 100` },
          { label: 'Weights', value: weights },
        ]}
      />
      <VendorContradictions vendorId={vendorId} items={contradictions} />
      <Terms vendorId={vendorId} score={score} />
      <History vendorId={vendorId} />
    </SpaceBetween>
  );
}

function Terms({ vendorId, score }: { readonly vendorId: string; readonly score: Weighed['score'] }) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const simulate = useCommand({
    run: async (mend: string[]) =>
      taken(
        await api.POST('/api/v1/vendors/{id}/score/simulations', {
          params: { path: { id: vendorId } },
          body: { mend },
        }),
      ),
  });
  const choose = (rows: readonly ScoreRow[]): void => {
    setChosen(rows.map(({ key }) => key));
    simulate.reset();
  };
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={simulate.error} />
      <Table<ScoreRow>
        variant="container"
        wrapLines
        items={score.rows}
        trackBy="key"
        selectionType="multi"
        selectedItems={score.rows.filter(({ key }) => chosen.includes(key))}
        isItemDisabled={({ isFixable }) => !isFixable}
        onSelectionChange={({ detail }) => choose(detail.selectedItems)}
        ariaLabels={{
          tableLabel: 'Terms of the score',
          selectionGroupLabel: 'What if it were mended',
          allItemsSelectionLabel: () => 'All that can be mended',
          itemSelectionLabel: (_, row) => `What if mended: ${row.what}`,
        }}
        header={
          <Header
            variant="h2"
            counter={`(${score.rows.length})`}
            description="The score is the sum of these points, exactly. More points are more risk."
            actions={
              <Button
                disabled={chosen.length === 0}
                loading={simulate.isPending}
                onClick={() => simulate.mutate([...chosen])}
              >
                What if they mend this
              </Button>
            }
          >
            Terms
          </Header>
        }
        footer={
          simulate.data ? (
            <StatusIndicator type={simulate.data.after.residual < score.residual ? 'success' : 'info'}>
              {`Mended, the score would be ${simulate.data.after.residual} instead of ${simulate.data.before.residual}.`}
            </StatusIndicator>
          ) : (
            <Box fontWeight="bold">{`Sum: ${score.residual}`}</Box>
          )
        }
        columnDefinitions={[
          { id: 'points', header: 'Points', cell: (row) => signed(row.points) },
          {
            id: 'what',
            header: 'What',
            isRowHeader: true,
            minWidth: 240,
            cell: (row) => (row.link === null ? row.what : <RouteLink href={row.link}>{row.what}</RouteLink>),
          },
          { id: 'value', header: 'Seen or said', minWidth: 200, cell: (row) => row.value },
          { id: 'weight', header: 'Weight', minWidth: 160, cell: (row) => row.weight },
          { id: 'group', header: 'Group', minWidth: 130, cell: (row) => `${row.part}, ${row.group}` },
        ]}
        empty={<Box color="text-body-secondary">Nothing is known yet: no traffic, no answers, no contract.</Box>}
      />
    </SpaceBetween>
  );
}

function History({ vendorId }: { readonly vendorId: string }) {
  const history = useQuery(scoreHistoryQuery(vendorId));
  const items = (history.data ?? []).map((one, index, all) => {
    const before = all[index + 1];
    const known = new Map(before?.rows.map((row) => [row.key, row.points]));
    const now = new Map(one.rows.map((row) => [row.key, row.points]));
    const changed = one.rows.filter((row) => known.get(row.key) !== row.points).map(({ what }) => what);
    const gone = (before?.rows ?? []).filter(({ key }) => !now.has(key)).map(({ what }) => `no longer: ${what}`);
    return { ...one, changed: before ? [...changed, ...gone] : ['first weighed'] };
  });
  return (
    <Table
      variant="container"
      wrapLines
      loading={history.isPending}
      loadingText="Loading history"
      items={items.slice(0, 20)}
      trackBy="at"
      ariaLabels={{ tableLabel: 'History of the score' }}
      header={<Header variant="h2">History</Header>}
      columnDefinitions={[
        { id: 'at', header: 'Day', isRowHeader: true, cell: (row) => showDay(row.at) },
        { id: 'score', header: 'Score', cell: (row) => row.residual },
        { id: 'inherent', header: 'Inherent', cell: (row) => row.inherent },
        { id: 'changed', header: 'What changed', minWidth: 260, cell: (row) => row.changed.slice(0, 5).join('; ') },
      ]}
    />
  );
}
