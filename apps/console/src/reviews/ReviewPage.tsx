import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { RiskBadge } from '../discovery/AppState.tsx';
import { showCount } from '../display/number.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { DecideItems, DelegateItems } from './ItemForms.tsx';
import { type ReviewDetail, type ReviewItem, reviewQuery } from './review-queries.ts';
import { CampaignState } from './ReviewsPage.tsx';

const LOOKS: Readonly<Record<ReviewItem['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  open: ['pending', 'Undecided'],
  kept: ['success', 'Kept'],
  waiting: ['in-progress', 'Being taken away'],
  done: ['stopped', 'Taken away'],
  nothing: ['stopped', 'Was gone already'],
  task: ['warning', 'For a person'],
  failed: ['error', 'Failed'],
};

export function ReviewPage() {
  const { id } = useParams({ from: '/inside/reviews/$id' });
  const review = useQuery(reviewQuery(id));
  return <QueryState query={review}>{(detail) => <OneReview detail={detail} />}</QueryState>;
}

/** Granted against used, as it was when the review began. */
function Evidence({ item: { evidence } }: { readonly item: ReviewItem }) {
  const { granted, used, unused, days, calls } = evidence;
  const use = used === null ? 'use is not visible' : `${used.length} used in ${days} days, ${showCount(calls)} calls`;
  return (
    <ExpandableSection headerText={`${granted.length} granted; ${use}`} variant="footer">
      <SpaceBetween size="xs">
        {evidence.why.length > 0 ? <Box>{evidence.why.join('; ')}</Box> : null}
        {unused.length > 0 ? <Box variant="small">Not used: {unused.slice(0, 50).join(', ')}</Box> : null}
        {granted.length > 0 ? <Box variant="small">Granted: {granted.slice(0, 50).join(', ')}</Box> : null}
      </SpaceBetween>
    </ExpandableSection>
  );
}

type Form = 'keep' | 'revoke' | 'delegate';

function OneReview({ detail: { campaign, items } }: { readonly detail: ReviewDetail }) {
  const can = useCan();
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [form, setForm] = useState<Form | null>(null);
  const chosen = items.filter((item) => picked.includes(item.id) && item.state === 'open');
  const close = (): void => {
    setForm(null);
    setPicked([]);
  };
  const { counts } = campaign;
  const button = (to: Form, text: string) => (
    <Button disabled={chosen.length === 0} onClick={() => setForm(to)}>
      {text}
    </Button>
  );
  return (
    <Page
      title={campaign.name}
      description={`Begun by ${campaign.createdBy}. What nobody decides about is ${campaign.onUndecided === 'revoke' ? 'taken away after notice' : 'kept'}.`}
      actions={
        can('review.read') ? (
          <Button href={`/api/v1/reviews/${campaign.id}/report`} download="review.csv" iconName="download">
            Report
          </Button>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <Container>
          <KeyValuePairs
            columns={4}
            items={[
              { label: 'State', value: <CampaignState state={campaign.state} /> },
              { label: 'Due', value: showDay(campaign.dueAt) },
              { label: 'Undecided', value: counts.open },
              { label: 'Kept / taken away', value: `${counts.kept} / ${counts.done + counts.nothing}` },
            ]}
          />
        </Container>
        <Table<ReviewItem>
          variant="container"
          wrapLines
          selectionType="multi"
          selectedItems={[...chosen]}
          isItemDisabled={(item) => item.state !== 'open'}
          onSelectionChange={({ detail }) => setPicked(detail.selectedItems.map(({ id }) => id))}
          items={[...items]}
          trackBy="id"
          ariaLabels={{
            tableLabel: 'Accesses under review',
            selectionGroupLabel: 'Choose accesses',
            allItemsSelectionLabel: () => 'Choose all',
            itemSelectionLabel: (_state, item) => `Choose ${item.name}`,
          }}
          header={
            <Header
              counter={`(${items.length})`}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  {can('person.read') ? button('delegate', 'Delegate') : null}
                  {button('keep', 'Keep')}
                  {button('revoke', 'Revoke')}
                </SpaceBetween>
              }
            >
              Accesses under review
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Access', isRowHeader: true, minWidth: 180, cell: (item) => item.name },
            { id: 'risk', header: 'Risk', cell: (item) => <RiskBadge score={item.evidence.risk} /> },
            { id: 'evidence', header: 'Granted against used', minWidth: 240, cell: (item) => <Evidence item={item} /> },
            {
              id: 'reviewer',
              header: 'Reviewer',
              cell: (item) => `${item.reviewer.name}${item.delegatedBy === null ? '' : ` (from ${item.delegatedBy})`}`,
            },
            {
              id: 'state',
              header: 'State',
              minWidth: 150,
              cell: (item) => <StatusIndicator type={LOOKS[item.state][0]}>{LOOKS[item.state][1]}</StatusIndicator>,
            },
            {
              id: 'detail',
              header: 'Decision and evidence',
              minWidth: 200,
              cell: (item) =>
                [item.decidedBy === null ? '' : `${item.decidedBy}: ${item.reason ?? ''}`, item.detail ?? '']
                  .filter((text) => text !== '')
                  .join('. '),
            },
          ]}
          empty={<Box color="text-body-secondary">Nothing to review.</Box>}
        />
      </SpaceBetween>
      {form === 'keep' || form === 'revoke' ? (
        <DecideItems campaignId={campaign.id} items={chosen} decision={form} onClose={close} />
      ) : null}
      {form === 'delegate' ? <DelegateItems campaignId={campaign.id} items={chosen} onClose={close} /> : null}
    </Page>
  );
}
