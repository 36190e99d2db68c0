import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { type Cut, type CutPlan, cutPlanQuery, type GraphNode } from './graph-queries.ts';

const ACT_TEXT: Readonly<Record<CutPlan['targets'][number]['act'], string>> = {
  revoke_integration: 'Cut off integration',
  remove_grant: 'Remove grant',
  connector_action: 'Act in the tool',
  manual: 'By hand',
};

const REASON_CHARS_MIN = 3;

/** Shows what a cut would do before it may be done; afterwards, what came of each target. */
export function CutDialog({ node, onClose }: { readonly node: GraphNode; readonly onClose: () => void }) {
  const plan = useQuery(cutPlanQuery(node.id));
  const [reason, setReason] = useState('');
  const [cut, setCut] = useState<Cut | null>(null);
  const command = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/graph/cut', { body: { node: node.id, digest: plan.data?.digest ?? '', reason } })),
    changes: [['graph', 'radius'], ['graph', 'nodes'], ['map'], ['grants'], ['integrations']],
    onDone: (made) => setCut(made),
  });
  const canCut = plan.data?.targets.some(({ act }) => act !== 'manual') === true;
  return (
    <FormDialog
      title={`Cut off ${node.name}`}
      button={cut ? 'Close' : 'Cut off'}
      isReady={cut !== null || (canCut && reason.trim().length >= REASON_CHARS_MIN)}
      command={{ ...command, mutate: () => (cut ? onClose() : command.mutate(undefined)) }}
      onClose={onClose}
    >
      {cut ? (
        <Table
          variant="embedded"
          wrapLines
          ariaLabels={{ tableLabel: 'What was done' }}
          items={[...cut.results]}
          columnDefinitions={[
            { id: 'what', header: 'What', isRowHeader: true, cell: ({ target }) => target.name },
            {
              id: 'outcome',
              header: 'Outcome',
              cell: ({ outcome, problem }) => (
                <StatusIndicator type={outcome === 'done' ? 'success' : outcome === 'failed' ? 'error' : 'pending'}>
                  {problem ?? outcome}
                </StatusIndicator>
              ),
            },
            { id: 'evidence', header: 'Evidence', cell: ({ evidence, target }) => evidence ?? target.why },
          ]}
        />
      ) : (
        <QueryState query={plan}>
          {({ targets }) => (
            <>
              <Table
                variant="embedded"
                wrapLines
                ariaLabels={{ tableLabel: 'What would be done' }}
                items={[...targets]}
                empty="There is nothing to cut."
                columnDefinitions={[
                  { id: 'act', header: 'Act', cell: ({ act }) => ACT_TEXT[act] },
                  { id: 'what', header: 'What', isRowHeader: true, cell: ({ name }) => name },
                  { id: 'why', header: 'Why', cell: ({ why }) => why },
                ]}
              />
              {canCut ? null : <Alert type="info">Nothing here can be cut by Cordon itself.</Alert>}
              <FormField label="Reason" constraintText="Kept as evidence.">
                <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
              </FormField>
            </>
          )}
        </QueryState>
      )}
    </FormDialog>
  );
}
