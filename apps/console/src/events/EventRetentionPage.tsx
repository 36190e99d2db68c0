import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
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
import { eventRetentionQuery } from '../alerts/outgoing-queries.ts';
import type { EventRetention } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { showBytes } from '../display/number.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { HoldForm, LiftForm, RuleForm, SizeForm } from './EventRetentionForms.tsx';

type Rule = EventRetention['rules'][number];
type Hold = EventRetention['holds'][number];

/** How long events are kept, and what stays whatever a rule says. */
export function EventRetentionPage() {
  const state = useQuery(eventRetentionQuery);
  return (
    <Page
      title="Event retention"
      description="How long events are kept: by age, by search, by size. A hold wins over all."
    >
      <SpaceBetween size="l">
        <ProblemAlert error={state.error} />
        {state.data ? <Summary state={state.data} /> : null}
        <Rules rules={state.data?.rules ?? []} isLoading={state.isPending} />
        <Holds holds={state.data?.holds ?? []} isLoading={state.isPending} />
      </SpaceBetween>
    </Page>
  );
}

function Summary({ state }: { readonly state: EventRetention }) {
  const can = useCan();
  const [isLimiting, setLimiting] = useState(false);
  const actions = can('detection.write') ? <Button onClick={() => setLimiting(true)}>Limit the size</Button> : null;
  return (
    <Container
      header={
        <Header variant="h2" actions={actions}>
          All events
        </Header>
      }
    >
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Kept', value: `${state.days} days` },
          { label: 'Events', value: state.events.toLocaleString('en') },
          {
            label: 'On disk',
            value: `${showBytes(state.bytes)}${state.bytesMax === null ? '' : ` of ${showBytes(state.bytesMax)}`}`,
          },
          { label: 'Oldest', value: state.oldestAt === null ? 'none' : showDay(state.oldestAt) },
        ]}
      />
      {isLimiting ? <SizeForm bytesMax={state.bytesMax} onClose={() => setLimiting(false)} /> : null}
    </Container>
  );
}

function Rules({ rules, isLoading }: { readonly rules: readonly Rule[]; readonly isLoading: boolean }) {
  const can = useCan();
  const [isAdding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Rule | null>(null);
  const remove = useCommand<string, unknown>({
    run: async (id) => taken(await api.DELETE('/api/v1/event-retention/rules/{id}', { params: { path: { id } } })),
    done: 'The rule deletes nothing more.',
    changes: [['event-retention'], ['audit']],
    onDone: () => setRemoving(null),
  });
  return (
    <>
      <Table<Rule>
        variant="container"
        wrapLines
        loading={isLoading}
        loadingText="Loading rules"
        items={rules}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Retention rules' }}
        header={
          <Header
            variant="h2"
            description="What a search finds goes sooner. Of two rules the shorter counts."
            actions={can('detection.write') ? <Button onClick={() => setAdding(true)}>Add a rule</Button> : null}
          >
            Rules
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'query', header: 'Search', cell: (row) => <Box variant="code">{row.query}</Box> },
          { id: 'days', header: 'Kept', cell: (row) => `${row.days} days` },
          { id: 'deleted', header: 'Deleted so far', cell: (row) => row.deleted.toLocaleString('en') },
          {
            id: 'run',
            header: 'Last run',
            cell: (row) =>
              row.lastError === null ? (
                <Ago at={row.runAt} none="within the hour" />
              ) : (
                <StatusIndicator type="error">{row.lastError}</StatusIndicator>
              ),
          },
          {
            id: 'remove',
            header: '',
            cell: (row) =>
              can('detection.write') ? (
                <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setRemoving(row)}>
                  Remove
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No rule: everything is kept alike.</Box>}
      />
      {isAdding ? <RuleForm onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Confirm
          title={`Remove ${removing.name}`}
          text="What it deleted is gone; nothing more goes."
          button="Remove"
          command={remove}
          input={removing.id}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </>
  );
}

function Holds({ holds, isLoading }: { readonly holds: readonly Hold[]; readonly isLoading: boolean }) {
  const can = useCan();
  const [isAdding, setAdding] = useState(false);
  const [lifting, setLifting] = useState<Hold | null>(null);
  return (
    <>
      <Table<Hold>
        variant="container"
        wrapLines
        loading={isLoading}
        loadingText="Loading holds"
        items={holds}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Legal holds' }}
        header={
          <Header
            variant="h2"
            description="What a hold names stays, whatever age, rule or size says."
            actions={can('detection.write') ? <Button onClick={() => setAdding(true)}>Place a hold</Button> : null}
          >
            Legal holds
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'query', header: 'Search', cell: (row) => (row.query === '' ? 'everything' : row.query) },
          { id: 'span', header: 'What happened', cell: (row) => spanText(row) },
          { id: 'reason', header: 'Reason', cell: (row) => row.reason },
          { id: 'by', header: 'Placed by', cell: (row) => row.createdBy },
          {
            id: 'lift',
            header: '',
            cell: (row) =>
              can('detection.write') ? (
                <Button variant="inline-link" ariaLabel={`Lift ${row.name}`} onClick={() => setLifting(row)}>
                  Lift
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing is held.</Box>}
      />
      {isAdding ? <HoldForm onClose={() => setAdding(false)} /> : null}
      {lifting ? <LiftForm hold={lifting} onClose={() => setLifting(null)} /> : null}
    </>
  );
}

function spanText({ from, to }: Hold): string {
  if (from === null && to === null) return 'at any time';
  return `${from === null ? '' : `since ${showDay(from)}`} ${to === null ? '' : `before ${showDay(to)}`}`.trim();
}
