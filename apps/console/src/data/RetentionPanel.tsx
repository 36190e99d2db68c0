import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Confirm } from '../display/Confirm.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { holdsQuery, type RetentionHold, type RetentionRule, retentionRulesQuery } from './data-queries.ts';
import { HoldForm, RuleForm, ScheduleForm } from './RetentionForms.tsx';
import { ruleText, scopeText } from './retention-text.ts';

export function RetentionPanel() {
  return (
    <SpaceBetween size="l">
      <Rules />
      <Holds />
    </SpaceBetween>
  );
}

function Rules() {
  const rules = useQuery(retentionRulesQuery);
  const can = useCan();
  const mayWrite = can('retention.write');
  const [isAdding, setAdding] = useState(false);
  const [open, setOpen] = useState<{
    readonly kind: 'edit' | 'schedule' | 'remove';
    readonly rule: RetentionRule;
  } | null>(null);
  const close = (): void => setOpen(null);
  const remove = useCommand({
    run: async ({ id }: RetentionRule) =>
      taken(await api.DELETE('/api/v1/retention/rules/{id}', { params: { path: { id } } })),
    done: 'The rule is removed; its runs stay as evidence.',
    changes: [['retention'], ['audit']],
    onDone: close,
  });
  const act = (kind: 'edit' | 'schedule' | 'remove', text: string, rule: RetentionRule) => (
    <Button variant="inline-link" ariaLabel={`${text} ${rule.name}`} onClick={() => setOpen({ kind, rule })}>
      {text}
    </Button>
  );
  const items = rules.data ?? [];
  return (
    <>
      <ProblemAlert error={rules.error} />
      <Table<RetentionRule>
        variant="container"
        wrapLines
        loading={rules.isPending}
        loadingText="Loading rules"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Retention rules' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="A rule does nothing by itself: open it for a dry run, then a run."
            actions={mayWrite ? <Button onClick={() => setAdding(true)}>Add a rule</Button> : null}
          >
            Retention rules
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Rule',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/retention/${row.id}`}>{row.name}</RouteLink>,
          },
          { id: 'what', header: 'What it does', minWidth: 240, cell: ruleText },
          {
            id: 'approval',
            header: 'Another person approves above',
            cell: (row) => `${row.settings.approvalAbove ?? 0} records`,
          },
          {
            id: 'every',
            header: 'Runs by itself',
            cell: (row) =>
              row.everyDays === null ? 'no' : `every ${row.everyDays} days, next ${showDay(row.nextAt ?? 0)}`,
          },
          {
            id: 'acts',
            header: 'Change',
            cell: (row) =>
              mayWrite ? (
                <SpaceBetween direction="horizontal" size="xs">
                  {act('edit', 'Edit', row)}
                  {can('retention.approve') ? act('schedule', 'Schedule', row) : null}
                  {act('remove', 'Remove', row)}
                </SpaceBetween>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No rule yet: everything stays as long as its tool keeps it.</Box>}
      />
      {isAdding ? <RuleForm onClose={() => setAdding(false)} /> : null}
      {open?.kind === 'edit' ? <RuleForm rule={open.rule} onClose={close} /> : null}
      {open?.kind === 'schedule' ? <ScheduleForm rule={open.rule} onClose={close} /> : null}
      {open?.kind === 'remove' ? (
        <Confirm
          title={`Remove ${open.rule.name}`}
          text="It runs no more. Its runs and their evidence stay."
          button="Remove it"
          command={remove}
          input={open.rule}
          onClose={close}
        />
      ) : null}
    </>
  );
}

function Holds() {
  const holds = useQuery(holdsQuery);
  const can = useCan();
  const [isAdding, setAdding] = useState(false);
  const [released, setReleased] = useState<RetentionHold | null>(null);
  const release = useCommand({
    run: async ({ id }: RetentionHold) =>
      taken(await api.DELETE('/api/v1/retention/holds/{id}', { params: { path: { id } } })),
    done: 'The hold is released.',
    changes: [['retention'], ['audit']],
    onDone: () => setReleased(null),
  });
  const items = holds.data ?? [];
  return (
    <>
      <ProblemAlert error={holds.error} />
      <Table<RetentionHold>
        variant="container"
        wrapLines
        loading={holds.isPending}
        loadingText="Loading holds"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Legal holds' }}
        header={
          <Header
            counter={`(${items.length})`}
            description="A hold wins over every rule."
            actions={can('retention.write') ? <Button onClick={() => setAdding(true)}>Place a hold</Button> : null}
          >
            Legal holds
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Hold', isRowHeader: true, cell: (row) => row.name },
          { id: 'scope', header: 'What it keeps', minWidth: 180, cell: (row) => scopeText(row.scope) },
          { id: 'reason', header: 'Reason', cell: (row) => row.reason },
          { id: 'by', header: 'Placed', cell: (row) => `${row.placedBy}, ${showDay(row.placedAt)}` },
          {
            id: 'state',
            header: 'State',
            cell: (row) =>
              row.releasedAt === null ? (
                <StatusIndicator type="info">Stands</StatusIndicator>
              ) : (
                <StatusIndicator type="stopped">{`Released, ${showDay(row.releasedAt)}`}</StatusIndicator>
              ),
          },
          {
            id: 'release',
            header: 'Release',
            cell: (row) =>
              can('retention.approve') && row.releasedAt === null ? (
                <Button variant="inline-link" ariaLabel={`Release ${row.name}`} onClick={() => setReleased(row)}>
                  Release
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No legal hold.</Box>}
      />
      {isAdding ? <HoldForm onClose={() => setAdding(false)} /> : null}
      {released ? (
        <Confirm
          title={`Release ${released.name}`}
          text="What it kept may be deleted by the next run of a rule."
          button="Release it"
          command={release}
          input={released}
          onClose={() => setReleased(null)}
        />
      ) : null}
    </>
  );
}
