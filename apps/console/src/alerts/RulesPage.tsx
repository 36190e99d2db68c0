import { useCollection } from '@cloudscape-design/collection-hooks';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery } from '@tanstack/react-query';
import type { Detection } from '../api/wire.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { LevelBadge } from './AlertBadges.tsx';
import { detectionsQuery } from './alert-queries.ts';
import { ruleFolderQuery } from './rule-queries.ts';

const PAGE_SIZE = 50;

/** Every rule and correlation, ours and the customer's, with what could not be read. */
export function RulesPage() {
  const rules = useQuery(detectionsQuery);
  const folder = useQuery(ruleFolderQuery);
  const { items, filterProps, filteredItemsCount, collectionProps, paginationProps } = useCollection<Detection>(
    rules.data ?? [],
    {
      filtering: {
        fields: ['title', 'product', 'id', 'file'],
        empty: 'No rules.',
        noMatch: 'No rule has these words.',
      },
      pagination: { pageSize: PAGE_SIZE },
      sorting: {},
    },
  );
  const problems = folder.data?.problems ?? [];
  return (
    <Page title="Detections" description="What is recognised, how it did, and what it would have done.">
      <SpaceBetween size="m">
        <ProblemAlert error={rules.error} />
        {problems.length > 0 ? (
          <Alert type="warning" header={`${problems.length} rule files could not be read`}>
            <ul>
              {problems.map(({ file, message }) => (
                <li key={`${file} ${message}`}>
                  <Box variant="code">{file}</Box>: {message}
                </li>
              ))}
            </ul>
          </Alert>
        ) : null}
        <Table<Detection>
          {...collectionProps}
          variant="container"
          wrapLines
          loading={rules.isPending}
          loadingText="Loading rules"
          items={items}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Rules' }}
          filter={
            <TextFilter
              {...filterProps}
              filteringPlaceholder="Find rules"
              filteringAriaLabel="Find rules"
              countText={`${filteredItemsCount ?? 0} found`}
            />
          }
          pagination={<Pagination {...paginationProps} />}
          header={
            <Header
              variant="h2"
              counter={`(${rules.data?.length ?? 0})`}
              description={folder.data?.folder ? `${folder.data.rules} of them from ${folder.data.folder}` : undefined}
            >
              Rules
            </Header>
          }
          columnDefinitions={[
            { id: 'level', header: 'Severity', cell: (row) => <LevelBadge level={row.level} /> },
            {
              id: 'title',
              header: 'Rule',
              isRowHeader: true,
              sortingField: 'title',
              cell: (row) => <RouteLink href={`/detections/${encodeURIComponent(row.id)}`}>{row.title}</RouteLink>,
            },
            { id: 'product', header: 'Product', sortingField: 'product', cell: (row) => row.product ?? '-' },
            { id: 'kind', header: 'Kind', cell: (row) => (row.kind === 'rule' ? 'Rule' : 'Correlation') },
            { id: 'exceptions', header: 'Exceptions', cell: (row) => row.exceptions.length },
            { id: 'state', header: 'State', cell: (row) => <RuleState isOn={row.enabled} /> },
          ]}
        />
      </SpaceBetween>
    </Page>
  );
}

export function RuleState({ isOn }: { readonly isOn: boolean }) {
  return isOn ? (
    <StatusIndicator type="success">On</StatusIndicator>
  ) : (
    <StatusIndicator type="stopped">Off</StatusIndicator>
  );
}
