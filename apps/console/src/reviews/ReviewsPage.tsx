import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { type Campaign, reviewsQuery } from './review-queries.ts';
import { ReviewForm } from './ReviewForm.tsx';

const LOOKS: Readonly<Record<Campaign['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  open: ['pending', 'Open'],
  noticed: ['warning', 'Notice given'],
  closing: ['in-progress', 'Being carried out'],
  closed: ['success', 'Closed'],
};

export function CampaignState({ state }: { readonly state: Campaign['state'] }) {
  const [type, text] = LOOKS[state];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

/** Campaigns in which those who answer for access say whether it stays. */
export function ReviewsPage() {
  const reviews = useQuery(reviewsQuery);
  const can = useCan();
  const [isStarting, setStarting] = useState(false);
  return (
    <Page
      title="Reviews"
      description="Who may go on using what: decided by those who answer for it, on what was granted and what was used."
      actions={
        can('review.write') ? (
          <Button variant="primary" onClick={() => setStarting(true)}>
            Start a review
          </Button>
        ) : null
      }
    >
      <ProblemAlert error={reviews.error} />
      <Table<Campaign>
        variant="container"
        wrapLines
        loading={reviews.isPending}
        loadingText="Loading reviews"
        items={reviews.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Reviews' }}
        header={<Header counter={`(${reviews.data?.length ?? 0})`}>Reviews</Header>}
        columnDefinitions={[
          {
            id: 'name',
            header: 'Review',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/reviews/${row.id}`}>{row.name}</RouteLink>,
          },
          { id: 'state', header: 'State', minWidth: 130, cell: (row) => <CampaignState state={row.state} /> },
          { id: 'due', header: 'Due', cell: (row) => showDay(row.dueAt) },
          { id: 'open', header: 'Undecided', cell: (row) => row.counts.open },
          { id: 'kept', header: 'Kept', cell: (row) => row.counts.kept },
          { id: 'gone', header: 'Taken away', cell: (row) => row.counts.done + row.counts.nothing },
          { id: 'task', header: 'For a person', cell: (row) => row.counts.task + row.counts.failed },
        ]}
        empty={<Box color="text-body-secondary">There is no review that you have a part in.</Box>}
      />
      {isStarting ? <ReviewForm onClose={() => setStarting(false)} /> : null}
    </Page>
  );
}
