import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Elevation } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { AskForm } from './AskForm.tsx';

const REFRESH_MS = 3_000;
type Scope = 'own' | 'to-decide' | 'all';
const CHANGED = [['elevations'], ['session'], ['groups'], ['audit']] as const;

const LOOKS: Readonly<Record<Elevation['state'], readonly [StatusIndicatorProps.Type, string]>> = {
  asked: ['pending', 'Asked'],
  live: ['success', 'Live'],
  refused: ['stopped', 'Refused'],
  withdrawn: ['stopped', 'Withdrawn'],
  lapsed: ['stopped', 'Nobody decided'],
  ended: ['stopped', 'Ended'],
};
const KIND: Readonly<Record<Elevation['kind'], string>> = {
  role: 'the role',
  group: 'the group',
  app: 'the app',
  operation: 'operations of',
};

function What({ one }: { readonly one: Elevation }) {
  const of = one.integration === null ? '' : ` for ${one.integration.name}: ${one.operations.join(', ')}`;
  return (
    <span>
      {KIND[one.kind]} {one.name}
      {of}
    </span>
  );
}

function DecideForm({
  one,
  approve,
  onClose,
}: {
  readonly one: Elevation;
  readonly approve: boolean;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState('');
  const decide = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/elevations/{id}/decide', {
          params: { path: { id: one.id } },
          body: { approve, note },
        }),
      ),
    done: approve ? `${one.person.name} has it for ${one.minutes} minutes.` : 'Refused.',
    changes: CHANGED,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`${approve ? 'Approve' : 'Refuse'}: ${one.person.name}, ${KIND[one.kind]} ${one.name}`}
      button={approve ? `Approve for ${one.minutes} minutes` : 'Refuse'}
      command={decide}
      onClose={onClose}
    >
      <Box>{one.reason}</Box>
      <FormField label="Note" description="Kept with the decision.">
        <Textarea rows={2} value={note} onChange={({ detail }) => setNote(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

function ElevationTable({ scope, empty }: { readonly scope: Scope; readonly empty: string }) {
  const can = useCan();
  const [deciding, setDeciding] = useState<{ readonly one: Elevation; readonly approve: boolean } | null>(null);
  const found = useQuery({
    queryKey: ['elevations', scope],
    queryFn: async () => taken(await api.GET('/api/v1/elevations', { params: { query: { scope } } })).items,
    refetchInterval: REFRESH_MS,
  });
  const end = useCommand({
    run: async (one: Elevation) =>
      taken(
        await api.POST('/api/v1/elevations/{id}/end', {
          params: { path: { id: one.id } },
          body: { why: 'Ended in the console.' },
        }),
      ),
    done: (after) => (after.state === 'withdrawn' ? 'Withdrawn.' : 'Ended.'),
    changes: CHANGED,
  });
  const mayEnd = (one: Elevation): boolean =>
    (one.state === 'live' || one.state === 'asked') && (scope === 'own' || (scope === 'all' && can('person.suspend')));
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={found.error ?? end.error} />
      <Table<Elevation>
        variant="container"
        wrapLines
        loading={found.isPending}
        loadingText="Loading elevations"
        items={found.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Elevations' }}
        header={<Header counter={`(${found.data?.length ?? 0})`}>Elevations</Header>}
        columnDefinitions={[
          { id: 'who', header: 'Who', isRowHeader: true, cell: (row) => row.person.name },
          { id: 'what', header: 'What', cell: (row) => <What one={row} /> },
          { id: 'why', header: 'Why', cell: (row) => row.reason },
          { id: 'minutes', header: 'Minutes', cell: (row) => row.minutes },
          {
            id: 'state',
            header: 'State',
            cell: (row) => <StatusIndicator type={LOOKS[row.state][0]}>{LOOKS[row.state][1]}</StatusIndicator>,
          },
          { id: 'asked', header: 'Asked', cell: (row) => <Ago at={row.askedAt} /> },
          {
            id: 'decided',
            header: 'Decided by',
            cell: (row) =>
              row.decidedBy === null
                ? `waits for ${row.approver?.name ?? 'an owner of Cordon'}`
                : `${row.decidedBy.name}${row.note === null || row.note === '' ? '' : `: ${row.note}`}`,
          },
          {
            id: 'ends',
            header: 'Ends',
            cell: (row) =>
              row.endedAt === null ? (
                <Ago at={row.endsAt} none="-" />
              ) : (
                <span>{`${showTime(row.endedAt)}: ${row.endedWhy ?? ''}`}</span>
              ),
          },
          {
            id: 'act',
            header: '',
            minWidth: 140,
            cell: (row) =>
              scope === 'to-decide' ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    variant="inline-link"
                    ariaLabel={`Approve ${row.person.name}`}
                    onClick={() => setDeciding({ one: row, approve: true })}
                  >
                    Approve
                  </Button>
                  <Button
                    variant="inline-link"
                    ariaLabel={`Refuse ${row.person.name}`}
                    onClick={() => setDeciding({ one: row, approve: false })}
                  >
                    Refuse
                  </Button>
                </SpaceBetween>
              ) : mayEnd(row) ? (
                <Button variant="inline-link" ariaLabel={`End ${row.name}`} onClick={() => end.mutate(row)}>
                  {row.state === 'live' ? 'End now' : 'Withdraw'}
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">{empty}</Box>}
      />
      {deciding ? <DecideForm {...deciding} onClose={() => setDeciding(null)} /> : null}
    </SpaceBetween>
  );
}

/** Access for a while: one's own, what waits for oneself, and everybody's. */
export function ElevationsPage() {
  const can = useCan();
  const [isAsking, setAsking] = useState(false);
  const own = <ElevationTable scope="own" empty="You asked for nothing yet." />;
  const waiting = <ElevationTable scope="to-decide" empty="Nobody waits for you." />;
  const all = <ElevationTable scope="all" empty="Nobody asked for anything yet." />;
  return (
    <Page
      title="Elevations"
      description="Access for a while: with a reason, approved by whoever answers for it, ended by the clock."
      actions={
        <Button variant="primary" onClick={() => setAsking(true)}>
          Ask for access
        </Button>
      }
    >
      <Tabs
        tabs={[
          { id: 'own', label: 'Mine', content: own },
          { id: 'to-decide', label: 'Waiting for me', content: waiting },
          ...(can('person.read') ? [{ id: 'all', label: 'Everybody’s', content: all }] : []),
        ]}
      />
      {isAsking ? <AskForm onClose={() => setAsking(false)} /> : null}
    </Page>
  );
}
