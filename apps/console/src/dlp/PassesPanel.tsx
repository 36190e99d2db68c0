import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { useNow } from '../display/use-now.ts';
import { useScopeOptions } from '../policy/scope-pickers.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Pass, passesQuery } from './dlp-queries.ts';

const REASON_MIN = 10;
const changes = [['dlp'], ['audit']] as const;

/** What lets integrations pass rules that ask for a person, and until when. */
export function PassesPanel() {
  const passes = useQuery(passesQuery);
  const now = useNow();
  const { integrationLabel } = useScopeOptions();
  const mayEnd = useCan()('dlp.decide');
  const end = useCommand({
    run: async ({ id }: Pass) => taken(await api.DELETE('/api/v1/dlp/passes/{id}', { params: { path: { id } } })),
    done: 'The rule asks again.',
    changes,
  });
  const isOver = ({ endedAt, expiresAt }: Pass): boolean => endedAt !== null || expiresAt <= now;
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={passes.error ?? end.error} />
      <Table<Pass>
        variant="container"
        wrapLines
        loading={passes.isPending}
        loadingText="Loading justifications"
        items={passes.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Justifications' }}
        header={
          <Header description="Given from the incident of a call that a rule stopped; it holds for the rule's time.">
            Justifications and releases
          </Header>
        }
        columnDefinitions={[
          { id: 'rule', header: 'Rule', isRowHeader: true, cell: (row) => row.rule.name },
          { id: 'integration', header: 'Integration', cell: (row) => integrationLabel(row.integrationId) },
          { id: 'kind', header: 'Kind', cell: (row) => row.kind },
          { id: 'reason', header: 'Reason', minWidth: 200, cell: (row) => row.reason },
          { id: 'by', header: 'Given by', cell: (row) => `${row.givenBy}, ${showTime(row.givenAt)}` },
          {
            id: 'until',
            header: 'Until',
            cell: (row) => (
              <StatusIndicator type={isOver(row) ? 'stopped' : 'success'}>
                {showTime(row.endedAt ?? row.expiresAt)}
              </StatusIndicator>
            ),
          },
          {
            id: 'end',
            header: 'End it',
            cell: (row) =>
              mayEnd && !isOver(row) ? (
                <Button variant="inline-link" ariaLabel={`End: ${row.rule.name}`} onClick={() => end.mutate(row)}>
                  End
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">Nobody was asked yet, or nobody answered.</Box>}
      />
    </SpaceBetween>
  );
}

export function PassForm(props: {
  readonly ruleId: string;
  readonly integrationId: string;
  readonly onClose: () => void;
}) {
  const { ruleId, integrationId, onClose } = props;
  const [reason, setReason] = useState('');
  const give = useCommand({
    run: async () => taken(await api.POST('/api/v1/dlp/passes', { body: { ruleId, integrationId, reason } })),
    done: (pass) => `It passes until ${showTime(pass.expiresAt)}.`,
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Let it pass for a time"
      button="Let it pass"
      isReady={reason.trim().length >= REASON_MIN}
      command={{ isPending: give.isPending, error: give.error, mutate: () => give.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Reason" description="At least ten characters; kept as evidence.">
        <Textarea value={reason} rows={3} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
