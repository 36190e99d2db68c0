import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { type UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

export interface RuleRow {
  readonly id: string;
  readonly name: string;
  readonly updatedAt: number;
}

interface RulePageProps<Row extends RuleRow> {
  readonly title: string;
  readonly description: string;
  /** What one is called: `policy`, `rule`, `limit`. */
  readonly noun: string;
  readonly queryKey: string;
  readonly rules: UseQueryResult<Row[]>;
  readonly columns: readonly TableProps.ColumnDefinition<Row>[];
  readonly removeRule: (id: string) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
  readonly removeText: string;
  /** The form for a new rule, or for the one that is edited. */
  readonly form: (rule: Row | null, onClose: () => void) => ReactNode;
  /** What stands below the list. */
  readonly children?: ReactNode;
}

/** List, add, edit, remove: the same for each kind of policy. */
export function RulePage<Row extends RuleRow>(props: RulePageProps<Row>) {
  const { title, description, noun, queryKey, rules, columns, removeRule, removeText, form, children } = props;
  const can = useCan();
  const mayWrite = can('policy.write');
  const [editing, setEditing] = useState<Row | 'new' | null>(null);
  const [removed, setRemoved] = useState<Row | null>(null);
  const remove = useCommand({
    run: async (row: Row) => taken(await removeRule(row.id)),
    done: (_, { name }) => `${name} is removed.`,
    changes: [[queryKey], ['audit']],
    onDone: () => setRemoved(null),
  });
  const addButton = mayWrite ? (
    <Button variant="primary" onClick={() => setEditing('new')}>
      Add {noun}
    </Button>
  ) : null;
  return (
    <Page title={title} description={description}>
      <SpaceBetween size="m">
        <ProblemAlert error={rules.error} onRetry={() => void rules.refetch()} />
        <Table<Row>
          variant="container"
          wrapLines
          loading={rules.isPending}
          loadingText="Loading"
          items={rules.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: title }}
          header={
            <Header counter={`(${rules.data?.length ?? 0})`} actions={addButton}>
              {title}
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Name',
              isRowHeader: true,
              minWidth: 130,
              cell: (row) =>
                mayWrite ? (
                  <Button variant="inline-link" ariaLabel={`Edit ${row.name}`} onClick={() => setEditing(row)}>
                    {row.name}
                  </Button>
                ) : (
                  row.name
                ),
            },
            ...columns,
            { id: 'updated', header: 'Changed', cell: (row) => <Ago at={row.updatedAt} /> },
            ...(mayWrite
              ? [
                  {
                    id: 'remove',
                    header: 'Action',
                    cell: (row: Row) => (
                      <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoved(row)}>
                        Remove
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m">
              <SpaceBetween size="s">
                <Box color="text-body-secondary">None yet.</Box>
                {addButton}
              </SpaceBetween>
            </Box>
          }
        />
        {children}
      </SpaceBetween>
      {editing ? form(editing === 'new' ? null : editing, () => setEditing(null)) : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name}?`}
          text={removeText}
          button="Remove"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </Page>
  );
}
